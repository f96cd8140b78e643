"""Tells how far a render is, in an object that the API reads."""

import json
import logging
import time
from typing import Final

import obstore
from obstore.store import ObjectStore

from spaces_contract.recording_objects import RenderFile, render_file
from spaces_contract.recording_render import RenderJob, RenderProgress, RenderState

from .stores import StoreErrors

logger = logging.getLogger(__name__)

INTERVAL_S: Final = 1.0  # GCS takes one write per second and object


class Progress:
    """Rewrites `progress.json` at most once a second, and at the end."""

    def __init__(self, store: ObjectStore, job: RenderJob) -> None:
        self._store = store
        self._name = render_file(job.recording_id, job.version, RenderFile.PROGRESS)
        self._percent = -1
        self._told_s = -INTERVAL_S

    def tell(self, percent: float) -> None:
        """Say that so much is done; a store that refuses this is no harm."""
        whole, now_s = int(percent), time.monotonic()
        if whole <= self._percent or now_s - self._told_s < INTERVAL_S:
            return
        self._percent, self._told_s = whole, now_s
        try:
            self._put(
                RenderProgress(
                    state=RenderState.RENDERING, percent=whole, updated_at_ms=_now_ms()
                )
            )
        except StoreErrors as error:
            logger.warning("progress not told", extra={"error": type(error).__name__})

    def end(
        self,
        state: RenderState,
        *,
        duration_ms: int = 0,
        partial: bool = False,
        lost_stems: tuple[str, ...] = (),
        detail: str = "",
    ) -> RenderProgress:
        """
        Say how it ended.

        Raises:
            StoreErrors: nobody was told.
        """
        progress = RenderProgress(
            state=state,
            percent=100 if state is RenderState.DONE else max(0, self._percent),
            updated_at_ms=_now_ms(),
            duration_ms=duration_ms,
            partial=partial,
            lost_stems=lost_stems,
            detail=detail,
        )
        self._put(progress)
        return progress

    def _put(self, progress: RenderProgress) -> None:
        obstore.put(self._store, self._name, json.dumps(progress.to_json()).encode())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

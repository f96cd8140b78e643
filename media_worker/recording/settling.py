"""Waits, before a render, for the last worker to have stored what it took."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import obstore

from spaces_contract import recording_objects as names
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording_render import RenderJob

from .journal import InvalidJournal, Journal
from .opening import Stores
from .stores import object_names

logger = logging.getLogger(__name__)

# A worker that lives stores its journal at least every 8 s, and pages before it.
DEAD_AFTER_S: Final = 20.0
PATIENCE_S: Final = 60.0
LOOK_EVERY_S: Final = 0.5


def wait_settled(
    job: RenderJob,
    stores: Stores,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """
    Wait until the last epoch was closed, or its worker is dead.

    Returns:
        False where it goes on after `PATIENCE_S`: two clocks differ, or somebody
        renders what is still being recorded.

    Raises:
        StoreErrors: not to be had just now.
    """
    for _ in range(round(PATIENCE_S / LOOK_EVERY_S)):
        journal = _latest(job, stores)
        if journal is None or journal.closed:
            return True
        alive_s = job.began_at_ms / 1_000 + journal.alive / SAMPLE_RATE_HZ
        if now().timestamp() - alive_s > DEAD_AFTER_S:
            logger.warning("epoch was not closed", extra={"epoch": journal.epoch})
            return True
        sleep(LOOK_EVERY_S)
    return False


def _latest(job: RenderJob, stores: Stores) -> Journal | None:
    """Return the last epoch's journal, as this machine's spool or the store has it."""
    prefix = names.recording_prefix(job.recording_id)
    found = [
        (name, bytes(obstore.get(stores.objects, name).bytes()))
        for name in object_names(stores.objects, prefix)
        if names.journal_epoch(name) is not None
    ]
    found += [
        (name, data)
        for name in stores.spool.names(job.recording_id)
        if names.journal_epoch(name) is not None
        and (data := stores.spool.read(name)) is not None
    ]
    journals = []
    for name, data in found:
        try:
            journals.append(Journal.from_bytes(data))
        except InvalidJournal:
            logger.error("journal unreadable", extra={"object": name})
    return max(
        journals, key=lambda each: (each.epoch, each.closed, each.alive), default=None
    )

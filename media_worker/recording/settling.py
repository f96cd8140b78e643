"""Waits, before a render, for all workers to have stored what they took."""

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
    Wait until every epoch was closed, or its worker is dead.

    One that was relieved may still be storing when its successor is done.

    Returns:
        False where it goes on after `PATIENCE_S`: two clocks differ, or somebody
        renders what is still being recorded.

    Raises:
        StoreErrors: not to be had just now.
    """
    for _ in range(round(PATIENCE_S / LOOK_EVERY_S)):
        dead_before = now().timestamp() - job.began_at_ms / 1_000 - DEAD_AFTER_S
        unfinished = [each for each in _journals(job, stores) if not each.closed]
        if all(each.alive / SAMPLE_RATE_HZ < dead_before for each in unfinished):
            for each in unfinished:
                logger.warning("epoch was not closed", extra={"epoch": each.epoch})
            return True
        sleep(LOOK_EVERY_S)
    return False


def _journals(job: RenderJob, stores: Stores) -> list[Journal]:
    """Return each epoch's journal, as this machine's spool or the store has it."""
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
    latest: dict[int, Journal] = {}
    for name, data in found:
        try:
            journal = Journal.from_bytes(data)
        except InvalidJournal:
            logger.error("journal unreadable", extra={"object": name})
            continue
        known = latest.setdefault(journal.epoch, journal)
        latest[journal.epoch] = max(known, journal, key=_progress)
    return list(latest.values())


def _progress(journal: Journal) -> tuple[bool, int]:
    return journal.closed, journal.alive

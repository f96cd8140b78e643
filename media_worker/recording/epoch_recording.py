"""One recording in one epoch: its stems, its journal, and their way to the store."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from spaces_contract import recording_objects as names
from spaces_contract.ids import UserId
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording import DesiredRecording, GapReason, StemId

from ..audio.frames import ReceivedPacket
from ..room.clock import Clock
from .gate import GateFacts
from .journal import Journal
from .key_encryption import KeyServiceDown
from .sealing import PageSeal, StemPlace, new_key
from .speech_filter import Arrived
from .spool import Spool, SpoolFull, epoch_of
from .stem_tap import StemTap
from .stem_writer import StemWriter
from .stores import StemKeys, StoreErrors
from .uploads import Uploads

logger = logging.getLogger(__name__)

REORDER_SAMPLES: Final = SAMPLE_RATE_HZ // 10  # later packets wait for the next page
# From one finding of an echo to the next: a little more than two checks.
WITHHELD_SAMPLES: Final = SAMPLE_RATE_HZ * 3 // 10
KEY_RETRY_S: Final = 1.0
ERASE_RETRY_S: Final = 2.0
UPLOAD_RETRY_S: Final = 0.2
JOURNAL_S: Final = 7.5
# A worker of a version without locks, once relieved, has stored by then what it took.
FORMER_S: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where a worker's recordings go."""

    keys: StemKeys
    uploads: Uploads
    spool: Spool


class EpochRecording:
    """
    Takes packets through the consent gates; closes, seals, spools and stores them.

    `take` and `apply` are called on the event loop and never block; all that may
    block happens in threads.  Lifecycle: until `finish`.

    Args:
        desired: Of a recording that has begun.
        utc_now: Asked once: a clock that jumps later moves nothing.
    """

    def __init__(
        self,
        desired: DesiredRecording,
        *,
        epoch: int,
        storage: Storage,
        clock: Clock,
        utc_now: Callable[[], datetime],
    ) -> None:
        self.recording_id = desired.recording_id
        self._desired = desired
        self._epoch = epoch
        self._storage = storage
        self._clock = clock
        began = datetime.fromtimestamp(0, UTC) + timedelta(
            milliseconds=desired.began_at_ms
        )
        self._zero_s = clock.now_s() - (utc_now() - began).total_seconds()
        self._journal = Journal(epoch=epoch, opened=self._now(), alive=self._now())
        self._journal_name = names.journal(desired.recording_id, desired.version, epoch)
        self._taps: dict[UserId, StemTap] = {}
        self._writers: dict[StemId, StemWriter] = {}
        self._keying: set[asyncio.Task[None]] = set()
        self._erasing: set[asyncio.Task[None]] = set()
        self._disk = asyncio.Lock()
        self._finished = False
        self._alone_from_s = clock.now_s() + FORMER_S
        self._lives: dict[int, bool] = {}  # of the epochs that told of it here
        self._journal_stored_s = -JOURNAL_S
        self._begun: dict[str, int] = {}  # where files begin that are not stored yet

    def apply(self, desired: DesiredRecording) -> None:
        """Follow grants and withdrawals of this recording, at once."""
        self._desired = desired
        for user_id, tap in list(self._taps.items()):
            if desired.stems.get(user_id) != tap.stem:
                del self._taps[user_id]
                tap.discard()
                _keep(self._erasing, self._erase(tap.stem), f"erase-{tap.stem}")
        for user_id, stem in desired.stems.items():
            if user_id not in self._taps and not self._finished:
                tap = self._taps[user_id] = StemTap(stem)
                _keep(self._keying, self._key(tap), f"key-{stem}")

    def end(self, *, held: int = 0) -> None:
        """
        Take nothing from now on; what was taken is kept.

        Args:
            held: But for so many of the last samples, which were to be checked.
        """
        if held and not self._finished:
            now = self._now()
            for tap in self._taps.values():
                tap.give_up(now - held, now, self._journal)
        self._finished = True

    def take(self, user_id: UserId, packet: ReceivedPacket, facts: GateFacts) -> None:
        """
        Take a packet of somebody whose consent is granted.

        Args:
            facts: Without `keyed`, which is known here.
        """
        tap = self._taps.get(user_id)
        if tap is not None and not self._finished:
            arrival = round((packet.arrival_s - self._zero_s) * SAMPLE_RATE_HZ)
            tap.take(packet, arrival, facts=facts, journal=self._journal)

    def is_keyed(self, user_id: UserId) -> bool:
        """Whether this person's pages can be sealed."""
        tap = self._taps.get(user_id)
        return tap is not None and tap.keyed

    @property
    def keyed_stems(self) -> int:
        """How many stems can be written."""
        return sum(tap.keyed for tap in self._taps.values())

    def withhold(self, user_id: UserId) -> None:
        """Keep out what somebody sends just now, and has sent of late: an echo."""
        tap, now = self._taps.get(user_id), self._now()
        if tap is not None:
            tap.withhold(now, now + WITHHELD_SAMPLES, self._journal)

    async def flush(
        self, *, held: Callable[[], int] = lambda: 0, everything: bool = False
    ) -> None:
        """
        Close pages: afterwards a killed process loses what came since.

        Args:
            held: Returns how many samples stay in memory, as they may yet have to be
                withheld; asked once the disk is free.
        """
        async with self._disk:
            if self._finished and not everything:
                return  # the last word is `finish`'s
            now = self._now()
            before = now - max(held(), REORDER_SAMPLES)
            if everything:
                before = now + SAMPLE_RATE_HZ
            batches = [
                (writer, batch)
                for tap in self._taps.values()
                if (writer := self._writers.get(tap.stem)) is not None
                and ((batch := tap.ready(before)) or writer.open_name)
            ]
            for stem, batch in await asyncio.to_thread(
                self._write, batches, everything
            ):
                start, end = batch[0][1], batch[-1][1]
                self._journal.note_gap(stem, GapReason.STORE_LOST, start, end)
            self._journal.alive = now
            await asyncio.to_thread(self._write_journal, self._journal.to_bytes())

    async def upload(self) -> None:
        """Store what is complete, of this epoch and of those that are over."""
        holders = self._storage.spool.holders
        self._lives = await asyncio.to_thread(holders, self.recording_id)
        await self._storage.uploads.run(self.recording_id, growing=self._growing)
        due = self._clock.now_s() - self._journal_stored_s >= JOURNAL_S
        if due and not self._finished:
            self._journal_stored_s = self._clock.now_s()
            await self._copy_journal()

    async def _copy_journal(self) -> None:
        """Store what would be known if this machine were lost."""
        async with self._disk:
            begun, alive = dict(self._begun), self._journal.alive
        waiting = await self._storage.uploads.waiting(self.recording_id)
        for name in begun.keys() - waiting:
            self._begun.pop(name, None)
        left = [at for name, at in begun.items() if name in waiting]
        if self._journal_name in waiting:
            stored = min(left, default=alive)
            copy = replace(self._journal, closed=False, stored=stored)
            await self._storage.uploads.copy(self._journal_name, copy.to_bytes())

    def _growing(self, found: list[str]) -> set[str]:
        """Return which of these files must not be taken for complete."""
        names_here = {writer.open_name for writer in self._writers.values()}
        growing = {name for name in names_here if name is not None}
        if not self._finished or self._ours(found) != {self._journal_name}:
            growing.add(self._journal_name)  # closed, it says that all is stored
        return growing | (set(found) - self._ours(found))

    def _ours(self, found: list[str]) -> set[str]:
        """
        Return what is ours to store: while a Space goes over to a successor on the same
        machine, two workers write to one spool.

        What an earlier one left is ours as soon as it is dead; where nothing tells,
        after a while, at the latest when we end: nobody follows.
        """
        alone = self._finished or self._clock.now_s() >= self._alone_from_s
        return {
            name
            for name in found
            if (epoch := epoch_of(name)) == self._epoch
            or (epoch < self._epoch and not self._lives.get(epoch, not alone))
        }

    async def finish(self) -> None:
        """
        Close everything and store it, however long that takes.

        Given up, it loses nothing: what is not stored stays in the spool.
        """
        self.end()
        for task in self._keying:
            task.cancel()
        self._journal.closed = True
        await self.flush(everything=True)
        if self._erasing:
            await asyncio.wait(self._erasing)
        while self._ours(await self._storage.uploads.waiting(self.recording_id)):
            await self.upload()
            await self._clock.sleep_until(self._clock.now_s() + UPLOAD_RETRY_S)
        await asyncio.to_thread(self._release)

    def _release(self) -> None:
        """Leave nothing in the spool but what others write."""
        self._storage.spool.release(self.recording_id, self._epoch)
        self._storage.spool.forget_dead(self.recording_id)

    def _write(
        self, batches: list[tuple[StemWriter, list[Arrived]]], end: bool
    ) -> list[tuple[StemId, list[Arrived]]]:
        """Write batches; return those that were lost."""
        now_s, lost = self._clock.now_s(), []
        self._storage.spool.hold(self.recording_id, self._epoch)
        for writer, batch in batches:
            try:
                writer.write(batch, version=self._desired.version, now_s=now_s)
            except SpoolFull as error:
                logger.error("spool full", extra={"reason": str(error)})
                lost.append((writer.stem, batch))
            if writer.open_name and batch:
                self._begun.setdefault(writer.open_name, batch[0][1])
            writer.rotate(now_s, finish=end)
        return lost

    def _write_journal(self, data: bytes) -> None:
        try:
            self._storage.spool.replace(self._journal_name, data)
        except SpoolFull as error:
            logger.error("journal not written", extra={"reason": str(error)})

    async def _key(self, tap: StemTap) -> None:
        """Make the stem's key and store it; until then nothing of it is kept."""
        place = StemPlace(
            recording_id=self.recording_id, stem=tap.stem, epoch=self._epoch
        )
        key = new_key()
        while True:
            try:
                await self._storage.keys.put(place, key)
                break
            except (*StoreErrors, KeyServiceDown) as error:
                logger.error("key not stored", extra={"error": type(error).__name__})
            await self._clock.sleep_until(self._clock.now_s() + KEY_RETRY_S)
        seal = PageSeal(key, place)
        self._writers[tap.stem] = StemWriter(place, seal, self._storage.spool)
        tap.keyed = True

    async def _erase(self, stem: StemId) -> None:
        """Forget a stem everywhere; functions do so too, and once more later."""
        async with self._disk:
            self._writers.pop(stem, None)
            self._journal.forget(stem)
            await asyncio.to_thread(self._storage.spool.erase, self.recording_id, stem)
        while True:
            try:
                await self._storage.uploads.erase(self.recording_id, stem)
                return
            except StoreErrors as error:
                logger.error("stem not erased", extra={"error": type(error).__name__})
            await self._clock.sleep_until(self._clock.now_s() + ERASE_RETRY_S)

    def _now(self) -> int:
        return round((self._clock.now_s() - self._zero_s) * SAMPLE_RATE_HZ)


def _keep(
    tasks: set[asyncio.Task[None]], coroutine: Coroutine[Any, Any, None], name: str
) -> None:
    task = asyncio.create_task(coroutine, name=name)
    tasks.add(task)
    task.add_done_callback(tasks.discard)

"""A room's recorder: hears every packet, keeps what the consent gates let through."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.recording import NOT_RECORDED, RecordingId, RecordingState

from ..audio.frames import ReceivedPacket
from ..audio.opus import Block
from ..room.clock import Clock
from ..room.ports import DesiredState
from .echo_watch import EchoWatch
from .epoch_recording import EpochRecording, Storage
from .gate import GateFacts

logger = logging.getLogger(__name__)

# Pages are closed so often; with what waits to be ordered or checked for an echo, and
# a slow disk, a killed process loses less than `PAGE_S`.
FLUSH_S: Final = 0.25
UPLOAD_CHECK_S: Final = 1.0

# What is recorded, or may be again without anybody being asked anew.
OPEN_STATES: Final = frozenset({RecordingState.RECORDING, RecordingState.PAUSED})


class Recorder:
    """
    Records one Space in one epoch; it is the room's `PacketTap`.

    Lifecycle: `run()` once, until cancelled; then `finish()`, which its owner bounds.

    Args:
        storage: None: this worker cannot record, and does not.
        fresh: Whether a withdrawal could not have gone unseen.
        utc_now: Aware UTC time.
        warn: Told now and then whose microphone picks up others.

    Attributes:
        echo: What keeps those who declined out of others' microphones.
    """

    def __init__(
        self,
        *,
        epoch: int,
        storage: Storage | None,
        clock: Clock,
        utc_now: Callable[[], datetime],
        fresh: Callable[[], bool],
        warn: Callable[[UserId], None],
    ) -> None:
        self._epoch = epoch
        self._storage = storage
        self._clock = clock
        self._utc_now = utc_now
        self._fresh = fresh
        self.echo = EchoWatch(clock=clock, warn=warn)
        self._failed = False
        self._room: DesiredState | None = None
        self._desired = NOT_RECORDED
        self._current: EpochRecording | None = None
        self._ended: list[EpochRecording] = []
        self._finishing: list[EpochRecording] = []
        self._known: set[RecordingId] = set()
        self._storing = asyncio.Event()  # clear: there is nothing to wake up for

    @property
    def state(self) -> RecordingState:
        """What everybody may see of the recording."""
        cannot = self._failed or self._storage is None
        if cannot and self._desired.state in OPEN_STATES:
            return RecordingState.FAILED
        if self._desired.state is RecordingState.RECORDING and not self._fresh():
            return RecordingState.PAUSED
        return self._desired.state

    @property
    def notice_version(self) -> str:
        """Of the notice that everybody gets; empty while nothing is recorded."""
        return self._desired.notice_version

    @property
    def open_stems(self) -> int:
        """How many people can be recorded just now: consent granted, key stored."""
        return 0 if self._current is None else self._current.keyed_stems

    @property
    def store_failures(self) -> int:
        """How many puts the store has refused."""
        return 0 if self._storage is None else self._storage.uploads.failures

    def apply(self, desired: DesiredState) -> None:
        """Take a new desired state; from now on its gates hold."""
        self._room, self._desired = desired, desired.recording
        if self._current is not None and not self._continues(self._current):
            self._current.end(held=self.echo.held_samples)
            self._ended.append(self._current)
            self._current = None
        if self._current is None and self._storage is not None and self._begins:
            self._known.add(self._desired.recording_id)
            self._current = EpochRecording(
                self._desired,
                epoch=self._epoch,
                storage=self._storage,
                clock=self._clock,
                utc_now=self._utc_now,
            )
        if self._current is not None or self._ended:
            self._storing.set()
        for recording in self._all:
            if recording.recording_id == self._desired.recording_id:
                recording.apply(self._desired)
        self._watch_echoes(desired)

    def packet_received(self, user_id: UserId, packet: ReceivedPacket) -> None:
        """Take one packet of somebody who sends; must not block."""
        if self._current is not None and user_id in self._desired.stems:
            self._current.take(user_id, packet, self._facts(user_id, self._current))

    def blocks_heard(self, blocks: Mapping[UserId, Block]) -> None:
        """Take what each speaker adds to one tick of the mix; must not block."""
        if self._current is not None:
            self.echo.blocks_heard(blocks)

    async def flush(self) -> None:
        """Close pages; what `run` does four times a second."""
        if self._current is not None:
            await self._current.flush(held=lambda: self.echo.held_samples)

    async def upload(self) -> None:
        """Store what is complete; what `run` does every second."""
        if self._current is not None:
            await self._current.upload()

    async def run(self) -> None:
        """
        Close pages and store them, until cancelled; asleep while nothing is recorded.

        A crash ends the recording, never the room.
        """
        try:
            await self._keep_storing()
        except Exception:
            self._failed = True
            logger.exception("recorder crashed")

    async def _keep_storing(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_flushing(), name="flush")
            tasks.create_task(self.echo.run(self._withhold), name="echo")
            while True:
                await self._storing.wait()
                await self._clock.sleep_until(self._clock.now_s() + UPLOAD_CHECK_S)
                tasks.create_task(self.upload(), name="upload")
                for recording in self._take_ended():
                    tasks.create_task(recording.finish(), name="finish")
                if self._current is None:
                    self._storing.clear()

    async def finish(self) -> None:
        """
        Close what is open and store all of it, however long that takes.

        Given up, it loses nothing: what is not stored stays in the spool.
        """
        for recording in self._all:
            recording.end(held=self.echo.held_samples)
        await asyncio.gather(*(recording.finish() for recording in self._all))

    @property
    def _all(self) -> list[EpochRecording]:
        current = [] if self._current is None else [self._current]
        return [*current, *self._ended, *self._finishing]

    def _continues(self, recording: EpochRecording) -> bool:
        same = recording.recording_id == self._desired.recording_id
        return same and self._is_ours and self._desired.state in OPEN_STATES

    @property
    def _begins(self) -> bool:
        desired = self._desired
        begun = desired.state in OPEN_STATES and desired.began_at_ms > 0
        return begun and self._is_ours and desired.recording_id not in self._known

    @property
    def _is_ours(self) -> bool:
        room = self._room
        if room is None or self._failed:
            return False
        return room.live and room.epoch == self._epoch

    def _facts(self, user_id: UserId, recording: EpochRecording) -> GateFacts:
        member = None if self._room is None else self._room.stage.get(user_id)
        return GateFacts(
            recording=self._is_ours,
            consented=user_id in self._desired.stems,
            on_stage=member is not None,
            unmuted=member is not None and not member.muted,
            fresh=self._fresh(),
            paused=self._desired.state is not RecordingState.RECORDING,
            keyed=recording.is_keyed(user_id),
        )

    def _watch_echoes(self, desired: DesiredState) -> None:
        if self._current is None:
            self.echo.forget()
            return
        talking = {m.user_id for m in desired.stage.values() if not m.muted}
        self.echo.watch(
            consenting=talking & self._desired.stems.keys(),
            others=talking - self._desired.stems.keys(),
        )

    def _withhold(self, user_id: UserId) -> None:
        if self._current is not None:
            self._current.withhold(user_id)

    def _take_ended(self) -> list[EpochRecording]:
        ended, self._ended = self._ended, []
        self._finishing += ended
        return ended

    async def _keep_flushing(self) -> None:
        while True:
            await self._storing.wait()
            await self._clock.sleep_until(self._clock.now_s() + FLUSH_S)
            await self.flush()

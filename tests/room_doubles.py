"""A room's doubles: a clock that tests turn, an endpoint without a network."""

import asyncio
import heapq
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from media_worker.audio.frames import EncodedFrame, ReceivedPacket
from media_worker.audio.mixer import Mix
from media_worker.audio.opus import Decoder, Encoder
from media_worker.room.ports import (
    FULL_MIX,
    DesiredMember,
    DesiredState,
    MediaEvents,
    SdpRefused,
    SessionInfo,
)
from media_worker.room.room import Room
from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, SpaceId, UserId
from spaces_contract.recording import RecordingState
from spaces_contract.roles import PeerCloseReason, PeerKind, Role
from spaces_contract.room_state import HlsKey, RoomState
from tests.audio import BLOCK, Samples, blocks_of

SPACE = SpaceId("1nKxoPQrsTUvw")
LONG_FRAMES_FROM = 4  # listeners make a large room here
CAPACITY = 8  # sessions fill it


class TurnedClock:
    """Stands still until `advance`; sleepers wake in order, each at its own time."""

    def __init__(self, now_s: float = 1_000.0) -> None:
        self._now_s = now_s
        self._order = itertools.count()
        self._timers: list[tuple[float, int, TurnedTimer]] = []

    def now_s(self) -> float:
        """Return the time that was last turned to."""
        return self._now_s

    async def sleep_until(self, due_s: float) -> None:
        """Wait for `advance` to pass `due_s`; at least one turn of the loop."""
        woken = asyncio.Event()
        if due_s <= self._now_s:
            await asyncio.sleep(0)
            return
        self._put(due_s, woken.set)
        await woken.wait()

    def call_at(self, due_s: float, callback: Callable[[], None]) -> "TurnedTimer":
        """Call it in `advance`, or soon where `due_s` has passed."""
        timer = self._put(due_s, callback)
        if due_s <= self._now_s:
            asyncio.get_running_loop().call_soon(timer.fire)
        return timer

    def _put(self, due_s: float, callback: Callable[[], None]) -> "TurnedTimer":
        timer = TurnedTimer(callback)
        heapq.heappush(self._timers, (due_s, next(self._order), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass, and everything happen that is due in them."""
        end_s = self._now_s + seconds
        await settle()
        while self._timers and self._timers[0][0] <= end_s + 1e-9:
            due_s, _, timer = heapq.heappop(self._timers)
            self._now_s = max(self._now_s, due_s)
            timer.fire()
            await settle()
        self._now_s = end_s

    def utc(self) -> datetime:
        """Return the same time as a date."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self._now_s)


class TurnedTimer:
    """A callback that is called once, unless it was cancelled before."""

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def fire(self) -> None:
        """Call it."""
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def cancel(self) -> None:
        """Never call it."""
        self._callback = None


async def settle(turns: int = 12) -> None:
    """Let all that can run now run."""
    for _ in range(turns):
        await asyncio.sleep(0)


class FakeEndpoint:
    """
    Opens any offer but "bad"; keeps what it was told, in order.

    As nasty as the real one: closing tells the room before it returns, and a second
    session of the same user and kind closes the first.
    """

    def __init__(self) -> None:
        self.events: MediaEvents | None = None
        self.open: dict[SessionId, SessionInfo] = {}
        self.closed: list[tuple[str, PeerCloseReason]] = []
        self.sources: dict[str, str] = {}
        self.heard: dict[str, list[EncodedFrame]] = {}
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.full: set[str] = set()
        self.lost: dict[str, float] = {}
        self.ticks = 0

    async def open_session(self, offer_sdp: str, info: SessionInfo) -> str:
        """Open it, unless the offer is "bad"."""
        await asyncio.sleep(0)
        if offer_sdp == "bad":
            raise SdpRefused(ControlError.SDP_NO_AUDIO, "no audio")
        person = (info.user_id, info.kind)
        same = [s for s in self.open.values() if (s.user_id, s.kind) == person]
        self.open[info.session_id] = info
        for old in same:
            await self.close_session(old.session_id, PeerCloseReason.REPLACED)
        return f"answer to {offer_sdp}"

    async def close_session(
        self, session_id: SessionId, reason: PeerCloseReason
    ) -> None:
        """Close it, telling the room at once."""
        if self.open.pop(session_id, None) is None:
            return
        self.closed.append((session_id, reason))
        assert self.events is not None
        self.events.session_closed(session_id, reason)
        await asyncio.sleep(0)

    def fraction_lost(self, session_id: SessionId) -> float:
        """Return what a test says that a client reported."""
        return self.lost.get(session_id, 0.0)

    def listeners_by_process(self) -> tuple[int, ...]:
        """Return how many listen; all are here."""
        return (sum(s.kind is PeerKind.WHEP for s in self.open.values()),)

    def hear(self, session_id: SessionId, source: str) -> None:
        """Note what a session hears from now on."""
        self.sources[session_id] = source

    def collect(self) -> None:
        """Have nothing to deliver: tests call `events` themselves."""

    def send(self, frames: Mapping[str, EncodedFrame]) -> None:
        """Give every WHEP session the frame of its source."""
        self.ticks += 1
        for info in self.open.values():
            if info.kind is PeerKind.WHEP:
                source = self.sources.get(info.session_id, FULL_MIX)
                heard = self.heard.setdefault(info.session_id, [])
                heard += [frames[source]] if source in frames else []

    def send_stage_message(self, session_id: SessionId, text: str) -> bool:
        """Note a message, unless the session's channel is full."""
        if session_id in self.full:
            return False
        self.told.append((session_id, json.loads(text)))
        return session_id in self.open

    def told_to(self, session_id: str, kind: str) -> list[dict[str, Any]]:
        """Return the messages of one type that a session was told."""
        return [m for to, m in self.told if to == session_id and m["type"] == kind]


class MemoryPublisher:
    """Keeps every version; fails while `failing`, never ends while `hanging`."""

    def __init__(self) -> None:
        self.rooms: list[RoomState] = []
        self.failing = False
        self.hanging = False
        self.finishing = False

    def finish(self) -> None:
        """Note that time is short."""
        self.finishing = True

    async def publish(self, room: RoomState) -> None:
        """Keep one version."""
        await asyncio.sleep(0)
        if self.hanging:
            await asyncio.Event().wait()
        if self.failing:
            raise OSError("no space left")
        self.rooms.append(room)


class FakeRecorder:
    """
    Keeps what it was told, in order: states and packets.

    Attributes:
        changes_to: Its state from the next `apply` on.
    """

    def __init__(self) -> None:
        self.state = RecordingState.OFF
        self.notice_version = ""
        self.changes_to: RecordingState | None = None
        self.heard: list[DesiredState | UserId] = []

    def apply(self, desired: DesiredState) -> None:
        """Note a state."""
        self.heard.append(desired)
        self.state = self.changes_to or self.state

    def packet_received(self, user_id: UserId, packet: ReceivedPacket) -> None:
        """Note whose packet it was."""
        self.heard.append(user_id)

    def blocks_heard(self, blocks: Mapping[UserId, Samples]) -> None:
        """Hear, and keep nothing."""


def a_member(user_id: str, role: Role = Role.SPEAKER, *, muted: bool = False) -> Any:
    """Return somebody on stage."""
    return DesiredMember(
        user_id=UserId(user_id),
        role=role,
        muted=muted,
        handle=user_id,
        display_name=user_id.title(),
    )


def desired(
    *members: DesiredMember,
    live: bool = True,
    epoch: int = 1,
    removed: Iterable[str] = (),
) -> DesiredState:
    """Return a desired state with these people on stage."""
    return DesiredState(
        epoch=epoch,
        live=live,
        title="Morning radio",
        stage={member.user_id: member for member in members},
        removed=frozenset(UserId(user_id) for user_id in removed),
    )


class FakeBroadcast:
    """Keeps each block of the mix, and who was forgotten; counts whom it is told."""

    def __init__(self) -> None:
        self.listener_count = 0
        self.key: HlsKey | None = None
        self.mixes: list[tuple[float, Mix | None]] = []
        self.forgotten: list[UserId] = []

    def mixed(self, due_s: float, mix: Mix | None) -> None:
        self.mixes.append((due_s, mix))

    def forget(self, user_id: UserId) -> None:
        self.forgotten.append(user_id)


class RunningRoom:
    """A room in a task, with its doubles; lives as long as its `async with`."""

    def __init__(self) -> None:
        self.clock = TurnedClock()
        self.endpoint = FakeEndpoint()
        self.publisher = MemoryPublisher()
        self.recorder = FakeRecorder()
        self.broadcast = FakeBroadcast()
        self.room = Room(
            space_id=SPACE,
            epoch=1,
            endpoint=self.endpoint,
            recorder=self.recorder,
            broadcast=self.broadcast,
            new_decoder=Decoder,
            publisher=self.publisher,
            clock=self.clock,
            utc_now=self.clock.utc,
            long_frames_from=LONG_FRAMES_FROM,
            capacity=CAPACITY,
        )
        self.endpoint.events = self.room
        self.running = asyncio.ensure_future(self.room.run())

    async def __aenter__(self) -> "RunningRoom":
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        await asyncio.wait([self.running])

    def heard_by(self, session_id: str) -> Samples:
        """Return what a hearer's decoder makes of all frames it was sent."""
        with Decoder() as decoder:
            return np.concatenate(
                [decoder.decode(f.payload) for f in self.endpoint.heard[session_id]]
            )

    async def connect(self, user_id: str, kind: PeerKind) -> SessionId:
        """Open a session and let it connect, with a stage channel where it sends."""
        session_id, _ = await self.room.doorway.open(
            "offer", user_id=UserId(user_id), kind=kind, grant_id=f"grant-{user_id}"
        )
        self.room.session_connected(session_id)
        if kind is PeerKind.WHIP:
            self.room.stage_channel_opened(session_id)
        return session_id

    async def talk(
        self,
        voices: Mapping[SessionId, Samples],
        *,
        lose: Callable[[int], bool] = lambda _: False,
    ) -> None:
        """Let people talk at the same time, one block each tick, but what they lose."""
        encoders = {session_id: Encoder() for session_id in voices}
        blocks = [blocks_of(samples) for samples in voices.values()]
        for number, row in enumerate(zip(*blocks, strict=True)):
            for (session_id, encoder), block in zip(encoders.items(), row, strict=True):
                packet = self._packet(session_id, encoder.encode(block))
                if not lose(number):
                    self.room.packet_received(session_id, packet)
            await self.clock.advance(0.020)
        for encoder in encoders.values():
            encoder.close()

    def _packet(self, session_id: str, payload: bytes) -> ReceivedPacket:
        start = round(self.clock.now_s() / 0.020)
        return ReceivedPacket(
            ssrc=sum(session_id.encode()),
            sequence_number=start & 0xFFFF,
            timestamp=start * BLOCK & 0xFFFF_FFFF,
            payload=payload,
            level_dbov=None,
            arrival_s=self.clock.now_s(),
        )

"""A room's `MediaEndpoint` over several processes: its own, and egress processes."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind

from ...audio.frames import EncodedFrame, ReceivedPacket
from ...room.durations import Durations
from ...room.ports import MediaEvents, SdpRefused, SessionInfo
from ...transport.endpoint import UdpMediaEndpoint
from ...transport.session_trace import SessionTraces, Step
from .child import EgressProcess, Spawn
from .placement import LISTENERS_PER_PROCESS, Limits, place
from .pool import EgressPool

AUDIBLE_LOSS: Final = 0.03  # in-band FEC and concealment hide what is less
_ELSEWHERE: Final = frozenset({ControlError.WORKER_STOPPING, ControlError.WORKER_FULL})


@dataclass(frozen=True, slots=True)
class _Placed:
    """A session in an egress process."""

    info: SessionInfo
    child: EgressProcess


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessListeners:
    """
    How one process is doing, for metrics.

    Args:
        name: "room", or the egress process' number.
        disturbed: How many of the listeners last reported `AUDIBLE_LOSS` or more.
        child: None for the room's own.
    """

    name: str
    listeners: int
    disturbed: int
    child: EgressProcess | None


class SpreadEndpoint:
    """
    Lets the room's own process serve speakers and the first listeners, and egress
    processes all others; to the room it is one endpoint.

    Lifecycle: that of `UdpMediaEndpoint`.

    Args:
        local: The room's own, not yet started.
        spawns: One for each egress process that may run.
        egress_from: Listeners before the first of them is used.
        listeners_per_egress: And before another one is started.
        traces: Of sessions in egress processes, where somebody asks for them.

    Attributes:
        collecting: How long taking in what came took, tick by tick.
        sending: Likewise handing out what was made; of a crowd, the first part.
    """

    def __init__(
        self,
        local: UdpMediaEndpoint,
        spawns: Sequence[Spawn],
        *,
        egress_from: int,
        listeners_per_egress: int = LISTENERS_PER_PROCESS,
        traces: SessionTraces | None = None,
    ) -> None:
        self._local = local
        self._traces = SessionTraces() if traces is None else traces
        limits = Limits(
            room=egress_from, egress=listeners_per_egress, processes=len(spawns)
        )
        self._pool = EgressPool(spawns, self, limits, audience=self._audience)
        self._events: MediaEvents | None = None
        self._listening_here: set[SessionId] = set()
        self._placed: dict[SessionId, _Placed] = {}
        self._by_listener: dict[UserId, SessionId] = {}
        self._past: Counter[str] = Counter()  # of processes that have ended
        self._stopping = False
        self.collecting = Durations()
        self.sending = Durations()

    def start(self, events: MediaEvents) -> None:
        """
        Bind the room's own port and serve it.

        Raises:
            OSError: the address is taken or not ours.
        """
        self._events = events
        self._local.start(self)

    @property
    def announced(self) -> tuple[str, int]:
        """Address and port that answers of the room's own process name."""
        return self._local.announced

    async def open_session(self, offer_sdp: str, info: SessionInfo) -> str:
        """Open a session where there is room for it; as `MediaEndpoint` promises."""
        child = self._choose(info.kind)
        answer = None
        if child is not None:
            try:
                answer = await self._open_at(child, offer_sdp, info)
            except SdpRefused as error:
                if self._stopping or error.code not in _ELSEWHERE:
                    raise
        if answer is None:
            answer = await self._open_here(offer_sdp, info)
        self._pool.scale()
        return answer

    async def close_session(
        self, session_id: SessionId, reason: PeerCloseReason
    ) -> None:
        """Close it, wherever it is; unknown ids are ignored."""
        placed = self._placed.get(session_id)
        if placed is None:
            await self._local.close_session(session_id, reason)
        else:
            placed.child.close_session(session_id, reason)
            self.egress_closed(session_id, reason)

    def fraction_lost(self, session_id: SessionId) -> float:
        """Return the loss that a WHEP client last reported, 0 to 1."""
        placed = self._placed.get(session_id)
        if placed is None:
            return self._local.fraction_lost(session_id)
        return placed.child.fraction_lost(session_id)

    def hear(self, session_id: SessionId, source: str) -> None:
        """Let a WHEP session hear `source` from the next frame on."""
        placed = self._placed.get(session_id)
        if placed is None:
            self._local.hear(session_id, source)
        else:
            placed.child.hear(session_id, source)

    def collect(self) -> None:
        """Deliver what has come to the room's own port."""
        began_s = time.monotonic()
        self._local.collect()
        self.collecting.observe(time.monotonic() - began_s)

    def send(self, frames: Mapping[str, EncodedFrame]) -> None:
        """Send one tick: the other processes first, for they work at the same time."""
        began_s = time.monotonic()
        for child in self._pool.children:
            child.send(frames)
        self._local.send(frames)
        self.sending.observe(time.monotonic() - began_s)

    def send_stage_message(self, session_id: SessionId, text: str) -> bool:
        """Send on a WHIP session's data channel; False where it is not open."""
        return self._local.send_stage_message(session_id, text)

    async def aclose(self, reason: PeerCloseReason) -> None:
        """Close all sessions with `reason`, then the ports."""
        self._stopping = True
        try:
            await asyncio.gather(self._pool.aclose(reason), self._local.aclose(reason))
        finally:
            for session_id in list(self._placed):
                self.egress_closed(session_id, reason)

    # What the room's own endpoint tells (`MediaEvents`).

    def packet_received(self, session_id: SessionId, packet: ReceivedPacket) -> None:
        """Pass it on."""
        self._room.packet_received(session_id, packet)

    def session_connected(self, session_id: SessionId) -> None:
        """Pass it on."""
        self._room.session_connected(session_id)

    def session_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Pass it on."""
        self._listening_here.discard(session_id)
        self._room.session_closed(session_id, reason)

    def stage_channel_opened(self, session_id: SessionId) -> None:
        """Pass it on."""
        self._room.stage_channel_opened(session_id)

    # What egress processes tell (`ChildOwner`).

    def egress_connected(self, session_id: SessionId) -> None:
        """Tell the room."""
        if session_id in self._placed:
            self._room.session_connected(session_id)

    def egress_reached(self, session_id: SessionId, step: Step, at_ns: int) -> None:
        """Trace it."""
        self._traces.reach(session_id, step, at_ns)

    def egress_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Forget a session and tell the room."""
        placed = self._placed.pop(session_id, None)
        if placed is None:
            return
        self._traces.close(session_id, reason)
        if self._by_listener.get(placed.info.user_id) == session_id:
            del self._by_listener[placed.info.user_id]
        self._room.session_closed(session_id, reason)

    def egress_ended(self, child: EgressProcess) -> None:
        """Keep what it had counted."""
        self._past.update(_totals(child))

    # What metrics and room.json show.

    async def refresh(self) -> None:
        """Bring what egress processes report up to date."""
        await self._pool.refresh()

    def listeners_by_process(self) -> tuple[int, ...]:
        """Return how many listen in each process, for room.json."""
        here = len(self._listening_here)
        return here, *(child.load.sessions for child in self._pool.children)

    def by_process(self) -> list[ProcessListeners]:
        """Return the listeners of each process, the room's own first."""
        own = ProcessListeners(
            name="room",
            listeners=len(self._listening_here),
            disturbed=sum(
                lost >= AUDIBLE_LOSS for lost in self._local.losses().values()
            ),
            child=None,
        )
        return [
            own,
            *(
                ProcessListeners(
                    name=str(child.number),
                    listeners=child.load.sessions,
                    disturbed=sum(lost >= AUDIBLE_LOSS for lost in child.losses()),
                    child=child,
                )
                for child in self._pool.children
            ),
        ]

    @property
    def egresses_started(self) -> int:
        """Egress processes so far, replacements included."""
        return self._pool.started

    def totals(self) -> Mapping[str, float]:
        """Return transport's and fan-out's counters, summed over all processes."""
        total = Counter(self._past)
        total.update(_named("transport", asdict(self._local.counters)))
        total.update(_named("fan_out", asdict(self._local.fan_out_counters)))
        for child in self._pool.children:
            total.update(_totals(child))
        return total

    @property
    def _room(self) -> MediaEvents:
        if self._events is None:
            raise RuntimeError("the endpoint is not started")
        return self._events

    def _audience(self) -> int:
        return len(self._listening_here) + len(self._placed)

    def _choose(self, kind: PeerKind) -> EgressProcess | None:
        if kind is not PeerKind.WHEP:
            return None
        children = self._pool.children
        index = place(
            len(self._listening_here),
            [child.load for child in children],
            self._pool.limits,
        )
        return None if index is None else children[index]

    async def _open_here(self, offer_sdp: str, info: SessionInfo) -> str:
        """Open it in the room's own process, which closes what it replaces there."""
        answer = await self._local.open_session(offer_sdp, info)
        if info.kind is PeerKind.WHEP:
            self._listening_here.add(info.session_id)
            replaced = self._by_listener.get(info.user_id)
            if replaced is not None:
                await self.close_session(replaced, PeerCloseReason.REPLACED)
        return answer

    async def _open_at(
        self, child: EgressProcess, offer_sdp: str, info: SessionInfo
    ) -> str:
        self._placed[info.session_id] = _Placed(info, child)
        trace = self._traces.open(info.session_id, info.kind)
        try:
            answer = await child.open_session(offer_sdp, info, trace=trace)
        except BaseException:
            self._placed.pop(info.session_id, None)
            self._traces.drop(info.session_id)
            raise
        for replaced in list(self._earlier(info)):
            await self.close_session(replaced, PeerCloseReason.REPLACED)
        if info.session_id in self._placed:  # its process lives
            self._by_listener[info.user_id] = info.session_id
        return answer

    def _earlier(self, info: SessionInfo) -> Iterator[SessionId]:
        placed = self._by_listener.get(info.user_id)
        if placed is not None:
            yield placed
        here = self._local.session_of(info.user_id, info.kind)
        if here is not None:
            yield here


def _totals(child: EgressProcess) -> Counter[str]:
    total: Counter[str] = Counter()
    if child.report is not None:
        total.update(_named("transport", child.report.transport))
        total.update(_named("fan_out", child.report.fan_out))
    return total


def _named(prefix: str, counters: Mapping[str, int]) -> dict[str, int]:
    return {f"{prefix}_{name}": value for name, value in counters.items()}

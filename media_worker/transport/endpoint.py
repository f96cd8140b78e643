"""All WebRTC sessions of one process on one UDP port: the room's `MediaEndpoint`."""

import asyncio
import logging
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind

from ..audio.frames import EncodedFrame, ReceivedPacket
from ..egress.fan_out import FanOut, FanOutCounters
from ..egress.pacing import PacedFanOut
from ..room.ports import MediaEvents, SdpRefused, SessionInfo
from .addresses import Address
from .certificate import ProcessCertificate
from .counters import EndpointCounters
from .handshakes import Handshakes
from .ingress import Ingress
from .media_clock import MediaClock
from .negotiation import Negotiated, negotiate
from .rounds import Rounds, Timing
from .sdp_answer import LocalTransport, answer_sdp
from .sdp_offer import parse_offer
from .session import Session
from .session_trace import SessionTraces, Step
from .sessions import Sessions
from .udp_port import UdpPort

MAX_SESSIONS: Final = 5_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    """What exists between `start` and `aclose`."""

    events: MediaEvents
    loop: asyncio.AbstractEventLoop
    certificate: ProcessCertificate
    fan_out: FanOut
    paced: PacedFanOut
    rounds: Rounds
    handshakes: Handshakes
    host: str
    port: int


class UdpMediaEndpoint:
    """
    The process' port with everything above it.

    Lifecycle: `start(events)` once, on the running loop; `aclose(reason)` in every
    state, any number of times.  Between them the methods of `MediaEndpoint`.

    Args:
        bind: Numeric address and port (0 for any) of the socket.
        announced: Numeric address and port (0 for the bound one) told to clients.
        traces: Of sessions, where somebody asks for them.
    """

    def __init__(
        self,
        *,
        bind: tuple[str, int],
        announced: tuple[str, int],
        max_sessions: int = MAX_SESSIONS,
        timing: Timing | None = None,
        traces: SessionTraces | None = None,
    ) -> None:
        self.counters = EndpointCounters()
        self._udp = UdpPort(*bind, self.counters)
        self._announced = announced
        self._max_sessions = max_sessions
        self._timing = timing or Timing()
        self._traces = SessionTraces() if traces is None else traces
        self._sessions = Sessions()
        self._opening: set[Session] = set()  # who waits for answers, not for sound
        self._endings: set[asyncio.Task[None]] = set()
        self._clock = MediaClock()
        self._cname = secrets.token_hex(8)
        self._state: _Running | None = None
        self._stopping = False

    def start(self, events: MediaEvents) -> None:
        """
        Bind the port and serve it.

        Raises:
            OSError: the address is taken or not ours.
            RuntimeError: it was started or closed before.
        """
        if self._state is not None or self._stopping:
            raise RuntimeError("an endpoint starts once")
        self._udp.open(Ingress(self._sessions, self.counters, self))
        loop = asyncio.get_running_loop()
        fan_out = FanOut(
            self._udp.descriptor,
            name_bytes=self._udp.name_bytes,
            ssrc=1 + secrets.randbelow(2**32 - 1),
        )
        host, port = self._announced
        self._state = _Running(
            events=events,
            loop=loop,
            certificate=ProcessCertificate.generate(),
            fan_out=fan_out,
            paced=PacedFanOut(fan_out, loop),
            rounds=Rounds(
                self._sessions,
                fan_out,
                self._clock,
                self._timing,
                cname=self._cname,
                loop=loop,
                end=self._end,
            ),
            handshakes=Handshakes(loop, self.counters),
            host=host,
            port=port or self._udp.number,
        )

    @property
    def announced(self) -> tuple[str, int]:
        """Address and port that answers name."""
        return self._running.host, self._running.port

    @property
    def fan_out_counters(self) -> FanOutCounters:
        """What was sent to hearers."""
        return self._running.fan_out.counters

    async def open_session(self, offer_sdp: str, info: SessionInfo) -> str:
        """
        Open a session and return the SDP answer; media follows when DTLS is up.

        An earlier session of the same user and kind is closed with `REPLACED`.

        Raises:
            SdpRefused: with the `ControlError` that says why.
            ValueError: the id is in use.
        """
        offer = parse_offer(offer_sdp)
        negotiated = negotiate(offer, info.kind)
        replaced = self._sessions.by_person(info.user_id, info.kind)
        self._check_room(0 if replaced is None else 1)
        session = self._add(info, negotiated)
        answer = answer_sdp(offer, negotiated, self._local(session))
        if replaced is not None:
            await self.close_session(replaced.session_id, PeerCloseReason.REPLACED)
        return answer

    async def close_session(
        self, session_id: SessionId, reason: PeerCloseReason
    ) -> None:
        """Close it (DTLS close_notify); unknown ids are ignored."""
        session = self._sessions.by_id(session_id)
        if session is not None:
            # A caller that is cancelled does not cancel what closes the session.
            await asyncio.wait([self._end(session, reason)])

    def sessions(self) -> Iterable[SessionInfo]:
        """Return the open sessions."""
        return [session.info for session in self._sessions]

    def session_of(self, user_id: UserId, kind: PeerKind) -> SessionId | None:
        """Return somebody's open session of that kind."""
        session = self._sessions.by_person(user_id, kind)
        return None if session is None else session.session_id

    def fraction_lost(self, session_id: SessionId) -> float:
        """Return the loss that a WHEP client last reported, 0 to 1."""
        session = self._sessions.by_id(session_id)
        return 0.0 if session is None else session.fraction_lost

    def losses(self) -> dict[str, float]:
        """Return what WHEP clients last reported, by session; no loss is left out."""
        return {
            s.session_id: s.fraction_lost for s in self._sessions if s.fraction_lost
        }

    def hear(self, session_id: SessionId, source: str) -> None:
        """Let a WHEP session hear `source` from the next frame on."""
        session = self._sessions.by_id(session_id)
        if session is None or session.source == source:
            return
        session.source = source
        if session.hearer is not None:
            self._running.fan_out.turn(session.hearer, source)

    def collect(self) -> None:
        """Take in what has come; between ticks the port is read for newcomers only."""
        all_read = self._udp.read()
        self._udp.listen(not all_read or bool(self._opening) or self._stopping)

    def send(self, frames: Mapping[str, EncodedFrame]) -> None:
        """Send one tick: to every connected WHEP session its source's frame."""
        if self._state is None or self._stopping or not frames:
            return
        # One tick, one time: that at which any source's frame ends.
        frame = next(iter(frames.values()))
        ends = frame.timestamp + frame.duration_samples
        self._clock.frame_sent(ends, time.monotonic())
        self._state.paced.send(frames)
        if self._traces:
            self._note_heard()

    def send_stage_message(self, session_id: SessionId, text: str) -> bool:
        """Send on a WHIP session's data channel; False where it is not open."""
        session = self._sessions.by_id(session_id)
        return session is not None and session.send_stage_message(text)

    async def aclose(self, reason: PeerCloseReason) -> None:
        """Close all sessions with `reason`, then the port."""
        self._stopping = True
        self._udp.listen(True)  # there may be no more ticks
        for session in self._sessions:
            self._end(session, reason)
        if self._endings:
            await asyncio.wait(tuple(self._endings))
        if self._state is not None:
            self._state.rounds.close()
            self._state.paced.close()
            self._state.handshakes.close()
        self._udp.close()

    # What the ingress and sessions call.

    def send_datagram(self, datagram: bytes, destination: Address) -> None:
        """Send one datagram from the port."""
        self._udp.send(datagram, destination)

    def handshake_received(self, session: Session, datagram: bytes) -> None:
        """Let a handshake take its turn."""
        self._running.handshakes.take(session, datagram)

    def audio_received(self, session: Session, packet: ReceivedPacket) -> None:
        """Pass a speaker's packet on."""
        if self._traces:
            self._traces.reach(session.session_id, Step.RTP_IN)
        self._running.events.packet_received(session.session_id, packet)

    def media_moved(self, session: Session) -> None:
        """Let the fan-out follow a session's selected address."""
        self._traces.reach(session.session_id, Step.STUN)
        if session.hearer is not None and session.path.selected is not None:
            self._running.fan_out.move(session.hearer, session.path.selected)

    def session_secured(self, session: Session) -> None:
        """Let a session that has keys take part."""
        self.counters.sessions_connected += 1
        self._traces.reach(session.session_id, Step.DTLS)
        self._opening.discard(session)
        if session.hearer is not None:
            self._running.fan_out.add(session.hearer)
        self._running.rounds.secured(session)
        self._running.events.session_connected(session.session_id)

    def session_doubted(self, session: Session) -> None:
        """See soon whether the client is still there."""
        self._running.rounds.doubted(session)

    def session_ended(self, session: Session) -> None:
        """Close a session whose client left, or whose DTLS failed."""
        if self._sessions.by_id(session.session_id) is session:
            self._end(session, session.end_reason)

    def stage_channel_opened(self, session: Session) -> None:
        """Tell the room that stage messages may be sent."""
        self._running.events.stage_channel_opened(session.session_id)

    @property
    def _running(self) -> _Running:
        if self._state is None:
            raise RuntimeError("the endpoint is not started")
        return self._state

    def _check_room(self, leaving: int) -> None:
        if self._stopping:
            raise SdpRefused(ControlError.WORKER_STOPPING, "the worker is stopping")
        if len(self._sessions) - leaving >= self._max_sessions:
            raise SdpRefused(ControlError.WORKER_FULL, "no more sessions here")

    def _add(self, info: SessionInfo, negotiated: Negotiated) -> Session:
        session = Session(
            info,
            negotiated,
            ufrag=secrets.token_hex(4),
            password=secrets.token_hex(16),
            certificate=self._running.certificate,
            owner=self,
            counters=self.counters,
            now_s=time.monotonic,
        )
        self._sessions.add(session)
        self._traces.open(info.session_id, info.kind)
        self._opening.add(session)
        self._udp.listen(True)
        self.counters.sessions_opened += 1
        self._running.rounds.opened(session)
        return session

    def _local(self, session: Session) -> LocalTransport:
        running = self._running
        return LocalTransport(
            host=running.host,
            port=running.port,
            ufrag=session.ufrag.decode(),
            password=session.password.decode(),
            fingerprint=running.certificate.fingerprint,
            ssrc=running.fan_out.ssrc,
            cname=self._cname,
        )

    def _note_heard(self) -> None:
        """Trace whom the tick was the first to reach."""
        for session_id in self._traces:
            session = self._sessions.by_id(session_id)
            if session is None or session.hearer is None:
                continue
            if self._running.fan_out.sent(session.hearer).packets:
                self._traces.reach(session_id, Step.RTP_OUT)

    def _end(self, session: Session, reason: PeerCloseReason) -> asyncio.Task[None]:
        """Forget an open session now, tell the room, close what it holds in a task."""
        self._sessions.remove(session)
        self._traces.close(session.session_id, reason)
        self._opening.discard(session)
        running = self._running
        running.rounds.closed(session)
        running.handshakes.forget(session)
        if session.hearer is not None:
            running.fan_out.remove(session.hearer)
        self.counters.sessions_closed += 1
        logger.info(
            "session closed",
            extra={
                "session_id": session.session_id,
                "kind": session.kind.value,
                "reason": reason.value,
            },
        )
        ending = running.loop.create_task(
            session.aclose(), name=f"end-session-{session.session_id}"
        )
        self._endings.add(ending)
        ending.add_done_callback(self._ended)
        running.events.session_closed(session.session_id, reason)
        return ending

    def _ended(self, ending: asyncio.Task[None]) -> None:
        self._endings.discard(ending)
        if not ending.cancelled() and ending.exception() is not None:
            logger.error("session did not close", exc_info=ending.exception())

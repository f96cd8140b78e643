"""What comes in by the port: sorted, authenticated, given to its session."""

from typing import Protocol

from ..audio.frames import ReceivedPacket
from ..egress.srtp import SrtpBuffer
from . import stun
from .addresses import Address
from .counters import EndpointCounters
from .demux import Kind, kind_of
from .session import Session
from .sessions import Sessions


class IngressOwner(Protocol):
    """Whom the ingress serves."""

    def send_datagram(self, datagram: bytes, destination: Address) -> None:
        """Send a datagram from the port."""

    def handshake_received(self, session: Session, datagram: bytes) -> None:
        """Take one datagram of a session's handshake."""

    def audio_received(self, session: Session, packet: ReceivedPacket) -> None:
        """Take one packet of a WHIP session."""

    def media_moved(self, session: Session) -> None:
        """Note that the session's media goes to another address now."""


class Ingress:
    """
    The port's reader.

    Nothing that a stranger sends allocates: an address is remembered only after a
    request that proved the session's password.
    """

    def __init__(
        self, sessions: Sessions, counters: EndpointCounters, owner: IngressOwner
    ) -> None:
        self._sessions = sessions
        self._counters = counters
        self._owner = owner

    def datagram_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> None:
        """Take one datagram; the memory is reused after the call."""
        self._counters.datagrams_received += 1
        first = row * buffer.stride_bytes
        kind = kind_of(buffer.view[first], buffer.view[first + min(1, length - 1)])
        if kind is Kind.STUN:
            self._stun(buffer.read(row, length), source, now_s)
            return
        session = self._sessions.by_address(source)
        if session is None or kind is Kind.JUNK:
            self._counters.junk_datagrams += 1
        elif kind is Kind.RTP:
            packet = session.rtp_received(buffer, row, length, source, now_s)
            if packet is not None:
                self._owner.audio_received(session, packet)
        elif kind is Kind.DTLS:
            self._dtls(session, buffer.read(row, length))
        else:
            session.rtcp_received(buffer, row, length, source, now_s)

    def _dtls(self, session: Session, datagram: bytes) -> None:
        if session.is_handshaking:
            self._owner.handshake_received(session, datagram)
        else:
            session.dtls_received(datagram)

    def _stun(self, datagram: bytes, source: Address, now_s: float) -> None:
        session, request = self._repeated(datagram, source)
        if request is None:
            request = stun.parse_binding_request(datagram)
            if request is None:
                self._counters.junk_datagrams += 1
                return
            session = self._sessions.by_ufrag(request.ufrag)
        if session is None or not stun.is_authentic(request, session.password):
            self._counters.requests_refused += 1
        elif request.unknown or request.claims_controlled:
            # We are lite, so the client has to be the controlling agent.
            code = stun.UNKNOWN_ATTRIBUTE if request.unknown else stun.ROLE_CONFLICT
            answer = stun.binding_error(request, code, session.password)
            self._owner.send_datagram(answer, source)
        else:
            self._counters.requests_answered += 1
            session.last_request = request
            answer = stun.binding_success(request, source, session.password)
            self._owner.send_datagram(answer, source)
            self._sessions.bind(session, source)
            if session.path.request_received(
                source, nominates=request.nominates, now_s=now_s
            ):
                self._owner.media_moved(session)

    def _repeated(
        self, datagram: bytes, source: Address
    ) -> tuple[Session | None, stun.BindingRequest | None]:
        """Return whose request is sent again, with another transaction, and it."""
        session = self._sessions.by_address(source)
        if session is None or session.last_request is None:
            return None, None
        return session, stun.parse_repeated(datagram, session.last_request)

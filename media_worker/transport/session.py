"""One WHIP or WHEP session: its addresses, its DTLS, and what runs inside."""

import logging
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from spaces_contract.roles import PeerCloseReason, PeerKind

from ..audio.frames import ReceivedPacket
from ..egress.hearers import Hearer
from ..egress.resends import SentPackets
from ..egress.srtp import SrtpBuffer, SrtpHandle
from ..room.ports import FULL_MIX, SessionInfo
from . import rtcp
from .addresses import Address
from .certificate import ProcessCertificate
from .counters import EndpointCounters
from .dtls import DtlsChannel, DtlsState
from .incoming import IncomingAudio, IncomingSrtp
from .media_path import MediaPath
from .negotiation import Negotiated
from .stun import BindingRequest

if TYPE_CHECKING:
    from .stage_channel import StageChannel

MAX_ADDRESSES: Final = 8  # a phone has 2 or 3 pairs; NAT rebinding adds some
UNCONFIRMED_S: Final = 40.0  # by then a client without reports has its keys, or left
_ALERT: Final = 21  # RFC 6347 4.1, ContentType

logger = logging.getLogger(__name__)


class SessionState(StrEnum):
    """Forward-only life of a session."""

    OPENING = "opening"  # answered; ICE and DTLS are the client's move
    CONNECTED = "connected"  # keys agreed
    CLOSED = "closed"


class SessionOwner(Protocol):
    """Whom a session tells what happens to it."""

    def send_datagram(self, datagram: bytes, destination: Address) -> None:
        """Send a datagram from the port."""

    def session_secured(self, session: "Session") -> None:
        """Note that keys are agreed."""

    def session_doubted(self, session: "Session") -> None:
        """Note that the client may have left: the path expires early."""

    def session_ended(self, session: "Session") -> None:
        """Note that the client left or its media failed; see `end_reason`."""

    def stage_channel_opened(self, session: "Session") -> None:
        """Note that stage messages may be sent."""


class Session:
    """
    One peer of one participant.

    Lifecycle: OPENING -> CONNECTED -> CLOSED.  Its owner is told once when the client
    leaves or DTLS fails, with the reason in `end_reason`, and then calls `aclose`.

    Args:
        ufrag: Our ICE user name fragment, by which requests find the session.
        password: Proves them.
        now_s: Monotonic clock.
    """

    def __init__(
        self,
        info: SessionInfo,
        negotiated: Negotiated,
        *,
        ufrag: str,
        password: str,
        certificate: ProcessCertificate,
        owner: SessionOwner,
        counters: EndpointCounters,
        now_s: Callable[[], float],
    ) -> None:
        self.info = info
        self.session_id = info.session_id
        self.negotiated = negotiated
        self.ufrag = ufrag.encode()
        self.password = password.encode()
        self.state = SessionState.OPENING
        self.opened_s = now_s()
        self.path = MediaPath(self.opened_s)
        self.addresses: dict[Address, None] = {}  # ordered, oldest first
        self.last_request: BindingRequest | None = None  # the latest authentic one
        self.source = FULL_MIX
        self.hearer: Hearer | None = None
        self.incoming: IncomingAudio | None = None
        self.end_reason = PeerCloseReason.LEFT
        self.fraction_lost = 0.0  # 0 to 1, by the client's latest report
        self._owner = owner
        self._counters = counters
        self._now_s = now_s
        self._dtls = DtlsChannel(certificate, negotiated.fingerprints, self)
        self._stage: StageChannel | None = None
        self._srtp_in: IncomingSrtp | None = None
        self._confirmed = False  # the client has used the keys that were agreed

    @property
    def kind(self) -> PeerKind:
        """Whether the client sends or receives."""
        return self.info.kind

    def remember(self, source: Address) -> Address | None:
        """Note an authenticated address; return the one forgotten for it, if any."""
        if source in self.addresses:
            return None
        self.addresses[source] = None
        if len(self.addresses) <= MAX_ADDRESSES:
            return None
        oldest = next(a for a in self.addresses if a != self.path.selected)
        del self.addresses[oldest]
        return oldest

    @property
    def is_handshaking(self) -> bool:
        """Whether DTLS datagrams cost a handshake's step."""
        return self._dtls.state is DtlsState.OPENING

    def dtls_received(self, datagram: bytes) -> None:
        """Take a DTLS datagram from one of the session's addresses."""
        if self._dtls.is_retired:
            if datagram[0] == _ALERT:
                self.path.doubt(self._now_s())
                self._owner.session_doubted(self)
            return
        try:
            self._dtls.receive(datagram)
        except Exception:  # the edge of one peer: it ends, the others go on
            self._crashed()

    @property
    def dtls_timeout_s(self) -> float | None:
        """How long to wait for the client's next flight; None: not at all."""
        return self._dtls.timeout_s

    def dtls_timed_out(self) -> None:
        """Send the last flight again."""
        self._dtls.timed_out()

    def rtp_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> ReceivedPacket | None:
        """Take an SRTP packet; return it where it is audio of a WHIP session."""
        if self.incoming is None:
            self._counters.packets_ignored += 1  # a listener has nothing to say
            return None
        opened = self.incoming.open(buffer, row, length)
        if opened is None:
            self._counters.packets_unauthentic += 1
            return None
        self.path.media_received(source, now_s)
        packet = self.incoming.audio(opened, now_s)
        if packet is None:
            self._counters.packets_ignored += 1
        else:
            self._counters.packets_received += 1
        return packet

    def rtcp_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> None:
        """Take an SRTCP packet: what it reports is noted."""
        plain = None
        if self._srtp_in is not None:
            plain = self._srtp_in.open_rtcp(buffer, row, length)
        if plain is None:
            self._counters.packets_unauthentic += 1
            return
        self._confirmed = True
        self.path.media_received(source, now_s)
        for packet in rtcp.parse_compound(plain):
            self._note_report(packet, now_s)

    def settle(self, now_s: float) -> None:
        """Free what served the handshake alone, once the client surely has its keys."""
        confirmed = self._confirmed or now_s - self.opened_s > UNCONFIRMED_S
        if self.kind is PeerKind.WHEP and confirmed:
            self._dtls.retire()

    def send_rtcp(self, compound: bytes) -> None:
        """Encrypt an RTCP compound and send it to the selected address."""
        outgoing = self._dtls.outgoing
        if self.state is SessionState.CONNECTED and outgoing is not None:
            self.dtls_send(outgoing.protect_rtcp(compound))

    def send_stage_message(self, text: str) -> bool:
        """Send on the stage channel; False where it is not open."""
        return self._stage is not None and self._stage.send(text)

    async def aclose(self) -> None:
        """Close what runs inside, tell the client by close_notify."""
        self.state = SessionState.CLOSED
        try:
            if self._stage is not None:
                await self._stage.aclose()
        finally:
            self._dtls.close()

    # What the DTLS channel calls.

    def dtls_send(self, datagram: bytes) -> None:
        """Send a datagram to the selected address."""
        if self.path.selected is not None:
            self._owner.send_datagram(datagram, self.path.selected)

    def dtls_opened(self) -> None:
        """Take part from now on."""
        incoming, outgoing = self._dtls.incoming, self._dtls.outgoing
        if self.state is not SessionState.OPENING or not incoming or not outgoing:
            return
        self.state = SessionState.CONNECTED
        self._srtp_in = IncomingSrtp(SrtpHandle(incoming))
        if self.kind is PeerKind.WHIP:
            self.incoming = IncomingAudio(
                self._srtp_in,
                payload_type=self.negotiated.payload_type,
                level_extension_id=self.negotiated.level_extension_id,
            )
        elif self.path.selected is not None:
            self.hearer = Hearer(
                srtp=SrtpHandle(outgoing),
                address=self.path.selected,
                payload_type=self.negotiated.payload_type,
                level_extension_id=self.negotiated.level_extension_id or 0,
                source=self.source,
                aead=self._dtls.outgoing_keys,
                sent_packets=SentPackets() if self.negotiated.resends else None,
            )
        self._owner.session_secured(self)
        self._open_stage()

    def dtls_data(self, data: bytes) -> None:
        """Pass on what the client sends on data channels."""
        if self._stage is not None:
            self._stage.receive(data)

    def dtls_ended(self, state: DtlsState) -> None:
        """Let the owner close the session."""
        if state is DtlsState.FAILED:
            self.end_reason = PeerCloseReason.DTLS_FAILED
        self._owner.session_ended(self)

    def _crashed(self) -> None:
        self.end_reason = PeerCloseReason.MEDIA_FAILED
        logger.exception("session crashed", extra={"session_id": self.session_id})
        self._owner.session_ended(self)

    def _open_stage(self) -> None:
        if self.negotiated.channel is None:
            return
        # aiortc is large, and a process for listeners alone never comes here.
        from .stage_channel import StageChannel

        self._stage = StageChannel(
            self._dtls,
            self.negotiated.channel,
            counters=self._counters,
            now_s=self._now_s,
            on_open=lambda: self._owner.stage_channel_opened(self),
        )
        self._stage.start()

    def _note_report(self, packet: rtcp.RtcpPacket, now_s: float) -> None:
        match packet:
            case rtcp.SenderReport() if self.incoming is not None:
                self.incoming.stats.sender_report_received(packet, now_s)
            case rtcp.SenderReport() | rtcp.ReceiverReport() if packet.blocks:
                self.fraction_lost = packet.blocks[0].fraction_lost / 256
            case rtcp.Nack():
                self._resend(packet.missing)
            case _:
                pass

    def _resend(self, missing: Sequence[int]) -> None:
        sent = None if self.hearer is None else self.hearer.sent_packets
        if sent is None:
            return
        for sequence in missing:
            packet = sent.take(sequence)
            if packet is not None:
                self._counters.packets_resent += 1
                self.dtls_send(packet)

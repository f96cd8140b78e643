"""A relay's WHEP session with its origin: the client's side of it."""

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from typing import Final

from ..egress.srtp import SrtpBuffer, SrtpHandle
from ..transport import rtcp, stun
from ..transport.addresses import Address
from ..transport.certificate import ProcessCertificate
from ..transport.counters import EndpointCounters
from ..transport.demux import Kind, kind_of
from ..transport.dtls import DtlsChannel, DtlsState
from ..transport.incoming import IncomingSrtp
from ..transport.reception import ReceptionStats
from ..transport.reports import speaker_report
from ..transport.rtp import RtpPacket, contributors, mixer_levels, parse_rtp
from ..transport.udp_port import UdpPort
from .feed_order import FeedPacket
from .feed_sdp import PAYLOAD_TYPE, FeedAnswer, feed_offer

CONNECT_S: Final = 5.0
SILENCE_S: Final = 3.0  # the origin sends without a pause while it lives
REPORT_S: Final = 2.5  # as browsers ask for consent
ROUND_S: Final = 0.1
MAX_ASKED: Final = 64  # no answer comes later than that many rounds


class FeedLost(Exception):
    """Nothing comes from the origin any more, or nothing ever came."""


class FeedConnection:
    """
    Receives the origin's mix on a UDP port of its own.

    Lifecycle: `offer`, then `run` with the answer to it, once; it ends when the feed is
    lost, or by cancellation, with the port closed and the origin told.

    Args:
        on_packet: Called with each authenticated packet of the mix.

    Attributes:
        rtt_s: To the origin and back, at the best; None before its first answer.  An
            origin reads its port once a tick, so most answers come later than that.
    """

    def __init__(
        self,
        certificate: ProcessCertificate,
        counters: EndpointCounters,
        *,
        on_packet: Callable[[FeedPacket], None],
    ) -> None:
        self._certificate = certificate
        self._counters = counters
        self._on_packet = on_packet
        self._ufrag = secrets.token_hex(4)
        self._password = secrets.token_hex(12)
        self._tie_breaker = secrets.randbits(64)
        self._cname = secrets.token_hex(8)
        self._ssrc = 1 + secrets.randbelow(2**32 - 1)
        self._stats = ReceptionStats()
        self._asked: dict[bytes, float] = {}  # transaction: when, oldest first
        self._heard_s = 0.0
        self._answer: FeedAnswer | None = None
        self._address = Address(b"")
        self._port: UdpPort | None = None
        self._dtls: DtlsChannel | None = None
        self._srtp: IncomingSrtp | None = None
        self.rtt_s: float | None = None

    def offer(self) -> str:
        """Return the SDP offer to send to the origin."""
        return feed_offer(
            fingerprint=self._certificate.fingerprint,
            ufrag=self._ufrag,
            password=self._password,
        )

    @property
    def is_up(self) -> bool:
        """Whether the mix comes."""
        return self._stats.received > 0

    async def run(self, answer: FeedAnswer) -> None:
        """
        Connect and receive.

        Raises:
            FeedLost: not within `CONNECT_S`, or silent for `SILENCE_S`, or closed.
        """
        self._answer, self._address = answer, answer.address
        wildcard = "::" if ":" in answer.host else "0.0.0.0"  # noqa: S104 -- no server
        self._port = UdpPort(wildcard, 0, self._counters)
        self._dtls = DtlsChannel(
            self._certificate, [answer.fingerprint], self, active=True
        )
        try:
            self._port.open(self)
            await self._connect(self._dtls)
            await self._stay(self._dtls)
        except OSError as error:
            raise FeedLost(str(error)) from error
        finally:
            self._dtls.close()
            self._port.close()

    def datagram_received(
        self, buffer: SrtpBuffer, row: int, length: int, source: Address, now_s: float
    ) -> None:
        """Take one datagram of the origin's, see `DatagramHandler`."""
        if source != self._address or self._dtls is None:
            self._counters.junk_datagrams += 1
            return
        first = row * buffer.stride_bytes
        kind = kind_of(buffer.view[first], buffer.view[first + min(1, length - 1)])
        if kind is Kind.RTP:
            self._rtp_received(buffer, row, length, now_s)
        elif kind is Kind.STUN:
            self._stun_received(buffer.read(row, length), now_s)
        elif kind is Kind.DTLS:
            self._dtls.receive(buffer.read(row, length))
        elif kind is Kind.RTCP:
            self._rtcp_received(buffer, row, length, now_s)

    # What the DTLS channel calls.

    def dtls_send(self, datagram: bytes) -> None:
        """Send to the origin."""
        if self._port is not None:
            self._port.send(datagram, self._address)

    def dtls_opened(self) -> None:
        """Open what comes from now on."""
        if self._dtls is not None and self._dtls.incoming is not None:
            self._srtp = IncomingSrtp(SrtpHandle(self._dtls.incoming))
            self._heard_s = time.monotonic()

    def dtls_data(self, data: bytes) -> None:
        """Drop it: an origin sends no messages to relays."""

    def dtls_ended(self, state: DtlsState) -> None:
        """Do nothing: `run` looks at the channel's state."""

    async def _connect(self, dtls: DtlsChannel) -> None:
        deadline_s = time.monotonic() + CONNECT_S
        while dtls.state is DtlsState.OPENING:
            if time.monotonic() > deadline_s:
                raise FeedLost("the origin's port does not answer")
            if self.rtt_s is None:
                self._ask()
            else:
                dtls.shake()
                dtls.timed_out()
            await asyncio.sleep(ROUND_S)

    async def _stay(self, dtls: DtlsChannel) -> None:
        due_s = 0.0
        while dtls.state is DtlsState.OPEN:
            now_s = time.monotonic()
            if now_s - self._heard_s > SILENCE_S:
                raise FeedLost("the origin is silent")
            if now_s >= due_s:
                # Not in step with the origin's ticks, or all answers would be late.
                due_s = now_s + REPORT_S * random.uniform(0.8, 1.0)  # noqa: S311
                self._ask()
                self._report(dtls, now_s)
            await asyncio.sleep(ROUND_S)
        raise FeedLost(f"the origin's DTLS is {dtls.state.value}")

    def _ask(self) -> None:
        """Send a binding request, without which the origin forgets us."""
        if self._answer is None:
            return
        transaction_id = secrets.token_bytes(12)
        # Of a far origin the answer comes when the next rounds have asked again.
        self._asked[transaction_id] = time.monotonic()
        if len(self._asked) > MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        request = stun.binding_request(
            transaction_id,
            username=f"{self._answer.ufrag}:{self._ufrag}",
            password=self._answer.password,
            tie_breaker=self._tie_breaker,
        )
        self.dtls_send(request)

    def _report(self, dtls: DtlsChannel, now_s: float) -> None:
        """Tell the origin of loss on the way to us, as any listener does."""
        report = speaker_report(
            self._stats, ssrc=self._ssrc, cname=self._cname, now_s=now_s
        )
        if report is not None and dtls.outgoing is not None:
            self.dtls_send(dtls.outgoing.protect_rtcp(report))

    def _stun_received(self, datagram: bytes, now_s: float) -> None:
        asked_s = self._asked.pop(stun.succeeded(datagram) or b"", None)
        if asked_s is not None:
            rtt_s = max(0.0, now_s - asked_s)
            self.rtt_s = rtt_s if self.rtt_s is None else min(self.rtt_s, rtt_s)

    def _rtp_received(
        self, buffer: SrtpBuffer, row: int, length: int, now_s: float
    ) -> None:
        plain = None if self._srtp is None else self._srtp.open_rtp(buffer, row, length)
        packet = None if plain is None else parse_rtp(plain)
        if plain is None or packet is None:
            self._counters.packets_unauthentic += 1
            return
        if packet.payload_type != PAYLOAD_TYPE or not packet.payload:
            self._counters.packets_ignored += 1
            return
        self._heard_s = now_s
        self._counters.packets_received += 1
        self._stats.packet_received(
            ssrc=packet.ssrc,
            sequence_number=packet.sequence_number,
            timestamp=packet.timestamp,
            arrival_s=now_s,
        )
        self._on_packet(self._fed(plain, packet, now_s))

    def _fed(self, plain: bytes, packet: RtpPacket, now_s: float) -> FeedPacket:
        csrcs = contributors(plain)
        extension_id = self._answer.level_extension_id if self._answer else None
        levels = mixer_levels(packet, extension_id)
        return FeedPacket(
            sequence_number=packet.sequence_number,
            timestamp=packet.timestamp,
            payload=packet.payload,
            csrcs=csrcs,
            levels_dbov=levels if len(levels) == len(csrcs) else (),
            arrival_s=now_s,
        )

    def _rtcp_received(
        self, buffer: SrtpBuffer, row: int, length: int, now_s: float
    ) -> None:
        plain = (
            None if self._srtp is None else self._srtp.open_rtcp(buffer, row, length)
        )
        for packet in rtcp.parse_compound(plain or b""):
            if isinstance(packet, rtcp.SenderReport):
                self._stats.sender_report_received(packet, now_s)

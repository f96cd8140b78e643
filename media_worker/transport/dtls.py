"""
DTLS-SRTP of one session: aiortc's transport as the passive side, without its ICE.

aiortc's `RTCDtlsTransport` asks of what carries it only `_recv`, `_send`, `role` and
`state`.  The private names used here are pinned by the integration tests.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, cast

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters
from aiortc import RTCDtlsTransport as AiortcDtlsTransport
from aiortc.rtcdtlstransport import SRTPProtectionProfile
from aiortc.rtcicetransport import RTCIceTransport
from OpenSSL import SSL
from pylibsrtp import Session as SrtpSession

from .negotiation import Fingerprint

QUEUE_DATAGRAMS: Final = 64  # a handshake's flight is 6; the stage channel's bursts


class DtlsFailed(Exception):
    """The handshake ended without keys: wrong certificate, no common profile…"""


class ProcessCertificate(RTCCertificate):
    """
    The one certificate of a process, with one OpenSSL context for all sessions.

    aiortc makes a context for every connection: 1 ms and 30 KB each, for nothing.
    """

    _context: SSL.Context | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate as SDP writes it."""
        by_algorithm = {f.algorithm: f.value for f in self.getFingerprints()}
        return by_algorithm["sha-256"]

    def _create_ssl_context(
        self, srtp_profiles: list[SRTPProtectionProfile]
    ) -> SSL.Context:
        if self._context is None:
            self._context = super()._create_ssl_context(srtp_profiles)
            # Nobody resumes a session with us, and after the handshake little is read:
            # neither sessions nor buffers are kept.
            self._context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
            self._context.set_mode(SSL.MODE_RELEASE_BUFFERS)
        return self._context


class _Carrier:
    """What aiortc takes for an ICE transport: a bounded queue in, a function out."""

    role = "controlled"
    state = "completed"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._deliver = send
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_DATAGRAMS)

    async def _recv(self) -> bytes:
        return await self.queue.get()

    async def _send(self, data: bytes) -> None:
        self._deliver(data)


class DtlsChannel:
    """
    One DTLS association in which we are the server.

    Lifecycle: `handshake()` once, then `wait_closed()`; `aclose()` at any time, any
    number of times.

    Args:
        send: Sends a datagram to where the session's media goes.
        fingerprints: Of the client's certificate, from its offer.
    """

    def __init__(
        self,
        certificate: ProcessCertificate,
        fingerprints: Sequence[Fingerprint],
        send: Callable[[bytes], None],
    ) -> None:
        self._carrier = _Carrier(send)
        self._fingerprints = [
            RTCDtlsFingerprint(algorithm=f.algorithm, value=f.value)
            for f in fingerprints
        ]
        # It only looks like an ICE transport; see the module's docstring.
        carrier = cast(RTCIceTransport, self._carrier)
        self.transport = AiortcDtlsTransport(carrier, [certificate])
        self.transport._set_role("server")
        self.dropped_datagrams = 0

    def receive(self, datagram: bytes) -> None:
        """Queue a DTLS datagram; the newest is dropped where the queue is full."""
        try:
            self._carrier.queue.put_nowait(datagram)
        except asyncio.QueueFull:
            self.dropped_datagrams += 1

    async def handshake(self) -> None:
        """
        Wait for the client and agree on keys.

        Raises:
            DtlsFailed: it did not come to that.
        """
        await self.transport.start(RTCDtlsParameters(fingerprints=self._fingerprints))
        if self.transport.state != "connected":
            raise DtlsFailed(self.transport.state)

    @property
    def incoming(self) -> SrtpSession:
        """Context of what the client sends; after the handshake."""
        return self.transport._rx_srtp

    @property
    def outgoing(self) -> SrtpSession:
        """Context of what we send; after the handshake."""
        return self.transport._tx_srtp

    async def wait_closed(self) -> None:
        """
        Return when the client has closed the association.

        Raises:
            Exception: whatever broke the pump of incoming data.
        """
        pump = self.transport._task
        if pump is not None:
            await asyncio.wait([pump])
            if not pump.cancelled():
                pump.result()

    async def aclose(self) -> None:
        """Send close_notify where there is an association, and end its task."""
        pump = self.transport._task
        await self.transport.stop()
        if pump is not None:
            await asyncio.wait([pump])

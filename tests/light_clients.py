"""
Light WebRTC clients for load: real STUN, DTLS and SRTP, but no decoder.

A light listener costs about a tenth of an aiortc peer connection, so that one core
can hold hundreds of them while the other runs what is measured.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol

from aioice import stun
from aiortc.rtcdtlstransport import (
    RTCCertificate,
    RTCDtlsFingerprint,
    RTCDtlsParameters,
    RTCDtlsTransport,
)

from media_worker.transport import rtcp
from spaces_contract.roles import PeerKind
from tests.api import ApiError

STUN_INTERVAL_S: Final = 2.5
CONNECT_TIMEOUT_S: Final = 60.0  # a worker's start included, on a busy machine
RETRY_S: Final = 0.1
PASSING: Final = (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS)
PAYLOAD_TYPE: Final = 96
_CERTIFICATE: list[RTCCertificate] = []  # one key pair for the whole crowd


class Signalling(Protocol):
    """Who opens and closes sessions: an `Api`, or a worker that signs for itself."""

    async def post_sdp(self, url: str, grant: str, offer: str, /) -> tuple[str, str]:
        """
        Open a WHIP or WHEP session and return `(answer, session_url)`.

        Raises:
            ApiError: it was refused.
        """
        ...

    async def delete_session(self, session_url: str, grant: str, /) -> None:
        """Close a session."""


def certificate() -> RTCCertificate:
    """Return the certificate that all clients of this process show."""
    if not _CERTIFICATE:
        _CERTIFICATE.append(RTCCertificate.generateCertificate())
    return _CERTIFICATE[0]


def receiver_report(fraction_lost: int = 0) -> bytes:
    """Return what a client says of the one stream it hears; lost: of 256."""
    block = rtcp.ReportBlock(
        ssrc=1,
        fraction_lost=fraction_lost,
        cumulative_lost=0,
        highest_sequence=0,
        jitter=0,
        last_sr=0,
        delay_since_last_sr=0,
    )
    return rtcp.receiver_report(1, [block]) + rtcp.source_description(1, "light")


def make_offer(kind: PeerKind, ufrag: str, password: str) -> str:
    """Return an SDP offer for one Opus stream in the direction of `kind`."""
    fingerprint = certificate().getFingerprints()[0]
    direction = "sendonly" if kind is PeerKind.WHIP else "recvonly"
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE 0",
        f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        f"a={direction}",
        "a=rtcp-mux",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{password}",
        f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
        "a=setup:active",
        f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
        f"a=fmtp:{PAYLOAD_TYPE} minptime=10;useinbandfec=1",
    ]
    return "\r\n".join([*lines, ""])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client needs of an SDP answer."""

    ufrag: str
    password: str
    fingerprint: RTCDtlsFingerprint
    address: tuple[str, int]

    @classmethod
    def parse(cls, sdp: str) -> "Answer":
        """Read the answer's ICE, DTLS and first candidate lines."""
        values: dict[str, str] = {}
        for line in sdp.splitlines():
            name, _, value = line.removeprefix("a=").partition(":")
            values.setdefault(name, value)
        algorithm, digest = values["fingerprint"].split()
        candidate = values["candidate"].split()
        return cls(
            ufrag=values["ice-ufrag"],
            password=values["ice-pwd"],
            fingerprint=RTCDtlsFingerprint(algorithm=algorithm, value=digest),
            address=(candidate[4], int(candidate[5])),
        )


@dataclass
class ArrivalLog:
    """Arrival times of RTP packets, and the longest gap between two of them."""

    packets: int = 0
    first_s: float = 0.0
    last_s: float = 0.0
    longest_gap_s: float = 0.0
    gaps_over_60_ms: int = 0

    def note(self, now_s: float) -> None:
        """Count one packet that arrived at monotonic `now_s`."""
        if self.packets:
            gap_s = now_s - self.last_s
            self.longest_gap_s = max(self.longest_gap_s, gap_s)
            self.gaps_over_60_ms += gap_s > 0.060
        else:
            self.first_s = now_s
        self.packets += 1
        self.last_s = now_s

    def packet(self, at_s: float, data: bytes) -> None:
        """Count one RTP packet, its payload still encrypted."""
        self.note(at_s)

    def reset(self) -> None:
        """Start anew, as when a warm-up is over."""
        self.packets = self.gaps_over_60_ms = 0
        self.longest_gap_s = 0.0


@dataclass
class _Transport:
    """The part of aiortc's ICE transport that its DTLS transport uses."""

    send: Any
    role: str = "controlled"
    state: str = "completed"
    inbox: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)

    async def _recv(self) -> bytes:
        data = await self.inbox.get()
        if data is None:
            raise ConnectionError
        return data

    async def _send(self, data: bytes) -> None:
        self.send(data)


class LightPeer(asyncio.DatagramProtocol):
    """One WHIP or WHEP session; counts what it receives, sends what it is given."""

    def __init__(self, signalling: Signalling, kind: PeerKind) -> None:
        self.kind = kind
        self.arrivals = ArrivalLog()
        self.heard = asyncio.Event()  # set by the first packet
        self.rtp_log: list[bytes] | None = None  # ciphertexts, where a test wants them
        self.dtls: RTCDtlsTransport | None = None
        self._signalling = signalling
        self._ufrag = secrets.token_hex(4)
        self._password = secrets.token_hex(12)
        self._tasks: list[asyncio.Task[None]] = []
        self._bound = asyncio.Event()
        self._session_url = self._grant = ""

    async def connect(self, url: str, grant: str) -> None:
        """
        Open the session and bring DTLS up; waits while the worker starts.

        Raises:
            ApiError: the API refused for good.
            TimeoutError: no media path within `CONNECT_TIMEOUT_S`.
        """
        offer = make_offer(self.kind, self._ufrag, self._password)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            answer_sdp = await self._post(url, grant, offer)
            self._answer = Answer.parse(answer_sdp)
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(
                lambda: self, family=socket.AF_INET, remote_addr=self._answer.address
            )
            self._transport = _Transport(self._udp.sendto)
            self._tasks.append(asyncio.create_task(self._ping(), name="light-stun"))
            await self._bound.wait()
            ice: Any = self._transport  # aiortc uses only what `_Transport` has
            self.dtls = RTCDtlsTransport(ice, [certificate()])
            self.dtls._set_role("client")
            await self.dtls.start(
                RTCDtlsParameters(fingerprints=[self._answer.fingerprint])
            )
        if self.dtls.state != "connected":
            raise ConnectionError(f"DTLS is {self.dtls.state}")

    async def wait_closed(self) -> None:
        """Return once the worker has ended the session (DTLS close_notify)."""
        dtls, closed = self.dtls, asyncio.Event()
        assert dtls is not None
        dtls.on("statechange", closed.set)
        while dtls.state == "connected":
            closed.clear()
            await closed.wait()

    async def _post(self, url: str, grant: str, offer: str) -> str:
        while True:
            try:
                answer, self._session_url = await self._signalling.post_sdp(
                    url, grant, offer
                )
            except ApiError as error:
                if error.status not in PASSING:
                    raise
                # It asks more often than it is told to, to know when a worker is there;
                # where one takes long, that becomes too often.
                too_often = error.status == HTTPStatus.TOO_MANY_REQUESTS
                await asyncio.sleep(error.retry_after_s if too_often else RETRY_S)
            else:
                self._grant = grant
                return answer

    async def _ping(self) -> None:
        while True:
            request = stun.Message(
                message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST
            )
            request.attributes["USERNAME"] = f"{self._answer.ufrag}:{self._ufrag}"
            request.attributes["PRIORITY"] = 1853824767
            request.attributes["ICE-CONTROLLING"] = 1
            request.attributes["USE-CANDIDATE"] = None
            request.add_message_integrity(self._answer.password.encode())
            self._udp.sendto(bytes(request))
            await asyncio.sleep(STUN_INTERVAL_S if self._bound.is_set() else 0.1)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Sort by first byte (RFC 7983)."""
        if data[0] < 4:
            self._bound.set()
        elif data[0] < 64:
            self._transport.inbox.put_nowait(data)
        elif not 192 <= data[1] <= 223:  # RTP, not RTCP (RFC 5761)
            self.arrivals.note(time.monotonic())
            self.heard.set()
            if self.rtp_log is not None:
                self.rtp_log.append(data)

    def error_received(self, exc: Exception) -> None:
        """Take an ICMP answer, as when the worker was killed; media just stops."""

    def send_rtp(self, packet: bytes) -> None:
        """Encrypt and send one RTP packet."""
        assert self.dtls is not None
        self._udp.sendto(self.dtls._tx_srtp.protect(packet))

    async def aclose(self) -> None:
        """Delete the session and close the socket."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.dtls is not None:
            await self.dtls.stop()
        with contextlib.suppress(Exception):  # the server may be gone by now
            await self._signalling.delete_session(self._session_url, self._grant)
        if hasattr(self, "_udp"):
            self._udp.close()


class LightSpeaker(LightPeer):
    """A WHIP session that sends given Opus frames in a loop, one each 20 ms."""

    def __init__(self, signalling: Signalling, frames: list[bytes]) -> None:
        super().__init__(signalling, PeerKind.WHIP)
        self.sent = 0
        self._frames = frames

    def start_talking(self) -> None:
        """Send from now on, on a schedule that does not drift."""
        self._tasks.append(asyncio.create_task(self._talk(), name="light-speaker"))

    async def _talk(self) -> None:
        ssrc = secrets.randbits(32)
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        index = 0
        while True:
            header = struct.pack(
                "!BBHII", 0x80, PAYLOAD_TYPE, index & 0xFFFF, index * 960, ssrc
            )
            self.send_rtp(header + self._frames[index % len(self._frames)])
            index += 1
            self.sent = index
            due_s += 0.020
            await asyncio.sleep(max(0.0, due_s - loop.time()))


@contextlib.asynccontextmanager
async def talking(
    signalling: Signalling, user_id: str, samples: Any
) -> AsyncIterator[LightSpeaker]:
    """
    Let somebody on stage say something over and over again, by a worker itself.

    Args:
        samples: As of `opus_frames`.
    """
    speaker = LightSpeaker(signalling, opus_frames(samples))
    try:
        await speaker.connect("/whip", user_id)
        speaker.start_talking()
        yield speaker
    finally:
        await speaker.aclose()


def opus_frames(samples: Any, *, loss_percent: int = 0) -> list[bytes]:
    """
    Encode speech into 20 ms Opus packets, with PyAV, an encoder not our own.

    Args:
        samples: `int16` of shape `(n,)`, mono, 48 kHz.
        loss_percent: That the client was told of; it adds FEC for it.
    """
    import av

    codec: Any = av.CodecContext.create("libopus", "w")
    codec.sample_rate, codec.layout, codec.format = 48_000, "mono", "s16"
    codec.bit_rate = 32_000
    codec.options = {
        "application": "voip",
        "frame_duration": "20",
        "fec": str(int(loss_percent > 0)),
        "packet_loss": str(loss_percent),
    }
    packets: list[bytes] = []
    for start in range(0, len(samples) - 959, 960):
        frame = av.AudioFrame.from_ndarray(
            samples[start : start + 960].reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 48_000, start
        packets += [bytes(packet) for packet in codec.encode(frame)]
    return packets

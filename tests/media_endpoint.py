"""A media endpoint on this machine, and the clients that tests connect to it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pytest
from aiortc import (
    AudioStreamTrack,
    MediaStreamTrack,
    RTCPeerConnection,
    RTCSessionDescription,
)

from media_worker.audio.frames import EncodedFrame, ReceivedPacket
from media_worker.room.ports import FULL_MIX, SessionInfo
from media_worker.transport.endpoint import UdpMediaEndpoint
from media_worker.transport.rounds import Timing
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind
from tests.light_clients import opus_frames

PATIENCE_S: Final = 40.0  # far beyond what anything takes, on two busy cores
TONE_HZ: Final = 440
SAMPLE_RATE_HZ: Final = 48_000


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another task or the network will make true."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - what it reads has no event
            await asyncio.sleep(0.01)


def address_of_this_machine(family: int = socket.AF_INET) -> str:
    """
    Return an address that aiortc's clients can use: they skip loopback.

    The test is skipped where the machine has none of that family.
    """
    far = "198.51.100.1" if family == socket.AF_INET else "2001:db8::1"
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((far, 9))  # sends nothing
        except OSError:
            pytest.skip("no network: bring any interface up, `ip link add veth0 …`")
        host: str = probe.getsockname()[0]
        return host


@dataclass
class EventLog:
    """`MediaEvents` that remembers."""

    connected: list[str] = field(default_factory=list)
    closed: list[tuple[str, PeerCloseReason]] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    packets: list[tuple[str, ReceivedPacket]] = field(default_factory=list)

    def packet_received(self, session_id: SessionId, packet: ReceivedPacket) -> None:
        """Remember a packet."""
        self.packets.append((session_id, packet))

    def session_connected(self, session_id: SessionId) -> None:
        """Remember a connection."""
        self.connected.append(session_id)

    def session_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Remember an end."""
        self.closed.append((session_id, reason))

    def stage_channel_opened(self, session_id: SessionId) -> None:
        """Remember a channel."""
        self.channels.append(session_id)


class RunningEndpoint:
    """An endpoint, what it told its owner, and a short way to open sessions."""

    def __init__(self, endpoint: UdpMediaEndpoint, events: EventLog) -> None:
        self.endpoint = endpoint
        self.events = events

    async def open(
        self, offer: str, kind: PeerKind, *, session_id: str, user_id: str = "ana"
    ) -> str:
        """Open a session and return the answer."""
        info = SessionInfo(
            session_id=SessionId(session_id),
            user_id=UserId(user_id),
            kind=kind,
            grant_id="grant",
        )
        return await self.endpoint.open_session(offer, info)

    async def close(self, session_id: str) -> None:
        """Close a session as if its participant had left."""
        await self.endpoint.close_session(SessionId(session_id), PeerCloseReason.LEFT)


@contextlib.asynccontextmanager
async def running_endpoint(
    host: str | None = None, *, timing: Timing | None = None, max_sessions: int = 100
) -> AsyncIterator[RunningEndpoint]:
    """Run an endpoint on a free port of `host`, or of an address of this machine."""
    bound = (host or address_of_this_machine(), 0)
    events = EventLog()
    endpoint = UdpMediaEndpoint(
        bind=bound, announced=bound, timing=timing, max_sessions=max_sessions
    )
    endpoint.start(events)
    try:
        yield RunningEndpoint(endpoint, events)
    finally:
        await endpoint.aclose(PeerCloseReason.WORKER_STOPPING)


def tone(seconds: float, frequency_hz: int = TONE_HZ) -> npt.NDArray[np.int16]:
    """Return a sine of amplitude 8,000, `int16` of shape `(n,)`."""
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return np.round(8_000 * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.int16)


def tone_packets(seconds: float = 1.0) -> list[bytes]:
    """Return Opus packets of 20 ms of a tone."""
    return opus_frames(tone(seconds))


class Sends(Protocol):
    """What can be played to."""

    def send(self, frames: Mapping[str, EncodedFrame]) -> None:
        """Send one tick."""


@contextlib.asynccontextmanager
async def playing(
    endpoint: Sends,
    packets: Sequence[bytes],
    *,
    sources: Sequence[str] = (FULL_MIX,),
) -> AsyncIterator[None]:
    """Send `packets` in a loop to all sources, one each 20 ms."""

    async def send() -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        for index in range(1_000_000):
            frame = EncodedFrame(
                payload=packets[index % len(packets)],
                timestamp=index * 960,
                duration_samples=960,
                csrcs=(7, 8),
                levels_dbov=(20, 40),
            )
            endpoint.send(dict.fromkeys(sources, frame))
            due_s += 0.020
            await asyncio.sleep(due_s - loop.time())

    task = asyncio.create_task(send(), name="playing")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


class AiortcClient:
    """A stock aiortc peer connection as WHIP or WHEP client."""

    def __init__(self, kind: PeerKind) -> None:
        self.kind = kind
        self.pc = RTCPeerConnection()
        self.blocks: list[npt.NDArray[np.int16]] = []  # left channel of each frame
        self.messages: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        if kind is PeerKind.WHIP:
            self.pc.addTrack(AudioStreamTrack())
        else:
            self.pc.addTransceiver("audio", direction="recvonly")
            self.pc.on("track", self._listen)

    def open_channel(self, label: str) -> Any:
        """Open a data channel and collect its messages."""
        channel = self.pc.createDataChannel(label)
        channel.on("message", self.messages.append)
        return channel

    async def offer(self) -> str:
        """Return the offer, candidates gathered."""
        await self.pc.setLocalDescription(await self.pc.createOffer())
        return self.pc.localDescription.sdp

    async def accept(self, answer: str) -> None:
        """Begin to connect."""
        await self.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def connect(
        self, running: RunningEndpoint, session_id: str, user_id: str = "ana"
    ) -> None:
        """Open a session and wait until both sides call it connected."""
        answer = await running.open(
            await self.offer(), self.kind, session_id=session_id, user_id=user_id
        )
        await self.accept(answer)
        await until(lambda: session_id in running.events.connected)
        await until(lambda: self.pc.connectionState == "connected")

    async def aclose(self) -> None:
        """Close the connection and wait for what listens to it."""
        await self.pc.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _listen(self, track: MediaStreamTrack) -> None:
        self._tasks.append(asyncio.create_task(self._read(track), name="listening"))

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(Exception):  # MediaStreamError: the track ended
            while True:
                frame: Any = await track.recv()
                self.blocks.append(frame.to_ndarray()[0, ::2].copy())


@contextlib.asynccontextmanager
async def aiortc_client(kind: PeerKind) -> AsyncIterator[AiortcClient]:
    """Make a client and close it at the end."""
    client = AiortcClient(kind)
    try:
        yield client
    finally:
        await client.aclose()

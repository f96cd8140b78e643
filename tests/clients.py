"""
WHIP and WHEP clients made of stock aiortc: an implementation that is not ours.

They decode what they hear and encode what they say, as a phone does.  For crowds
see `tests.light_clients`, which do neither.
"""

import asyncio
import contextlib
import fractions
import json
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

import av
import numpy as np
from aioice import ice
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, MediaStreamTrack

from tests.api import PASSING, Api, ApiError
from tests.speech import SAMPLE_RATE_HZ, Samples

PTIME_S: Final = 0.020
BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ // 50
READY_TIMEOUT_S: Final = 60.0
# Over what one hears: a mixer without processor time skips blocks.
RECORD_PATIENCE_S: Final = 60.0
RETRY_S: Final = 0.25
# A worker that is not there yet says so; anything else is an answer.
_PASSING: Final = ("worker-starting", "worker-unreachable", *PASSING)


def tone(frequency_hz: float, duration_s: float, amplitude: int = 8000) -> Samples:
    """Return a sine of whole periods where `frequency_hz * duration_s` is whole."""
    time_s = np.arange(int(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (amplitude * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.int16)


class LoopTrack(MediaStreamTrack):
    """Plays samples in a loop, one block of 20 ms at its time."""

    kind = "audio"

    def __init__(self, samples: Samples) -> None:
        super().__init__()
        self._samples = samples
        self._position = 0
        self._blocks = 0
        self._started_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        """Return the next block once it is due."""
        now_s = asyncio.get_running_loop().time()
        self._started_s = self._started_s or now_s
        await asyncio.sleep(self._started_s + self._blocks * PTIME_S - now_s)
        block = np.take(
            self._samples,
            np.arange(self._position, self._position + BLOCK_SAMPLES),
            mode="wrap",
        )
        frame = av.AudioFrame.from_ndarray(block[None, :], layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._blocks * BLOCK_SAMPLES
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE_HZ)
        self._position = (self._position + BLOCK_SAMPLES) % len(self._samples)
        self._blocks += 1
        return frame


class _Client:
    """One media session; use as an async context manager, or call `aclose`."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._session: tuple[str, str] | None = None  # URL, grant
        self.pc = RTCPeerConnection()

    async def connect(self, url: str, grant: str) -> None:
        """
        Open the session and return once DTLS is up.

        Raises:
            ApiError: the API refused, for a reason that does not pass by itself.
            TimeoutError: no worker, or no connection, within `READY_TIMEOUT_S`.
        """
        connected = asyncio.Event()

        @self.pc.on("connectionstatechange")
        def on_change() -> None:
            if self.pc.connectionState == "connected":
                connected.set()

        async with asyncio.timeout(READY_TIMEOUT_S):
            with _loopback_candidates():
                await self.pc.setLocalDescription(await self.pc.createOffer())
            answer, session_url = await self._post(url, grant)
            self._session = (session_url, grant)
            await self.pc.setRemoteDescription(
                RTCSessionDescription(sdp=answer, type="answer")
            )
            await connected.wait()

    async def aclose(self) -> None:
        """Close the session at the server and here; harmless when repeated."""
        session, self._session = self._session, None
        await self.pc.close()
        if session is not None:
            await self._api.delete_session(*session)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _post(self, url: str, grant: str) -> tuple[str, str]:
        while True:
            try:
                return await self._api.post_sdp(
                    url, grant, self.pc.localDescription.sdp
                )
            except ApiError as error:
                if error.code not in _PASSING:
                    raise
            await asyncio.sleep(RETRY_S)


class WhepClient(_Client):
    """Hears a Space; decoded audio since `connect` is in `samples`."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self._blocks: list[Samples] = []
        self._arrived = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self.pc.addTransceiver("audio", direction="recvonly")
        self.pc.on("track", self._on_track)

    @property
    def samples(self) -> Samples:
        """Everything heard so far: 48 kHz, mono."""
        return np.concatenate([np.zeros(0, np.int16), *self._blocks])

    async def record(self, duration_s: float) -> Samples:
        """
        Return the next `duration_s` seconds.

        Raises:
            TimeoutError: it took `RECORD_PATIENCE_S` longer.
        """
        wanted = int(duration_s * SAMPLE_RATE_HZ)
        start = len(self.samples)
        async with asyncio.timeout(duration_s + RECORD_PATIENCE_S):
            while len(self.samples) < start + wanted:
                self._arrived.clear()
                await self._arrived.wait()
        return self.samples[start : start + wanted]

    async def aclose(self) -> None:
        """Close the session and end the reader."""
        await super().aclose()
        if self._reader is not None:
            await self._reader

    def _on_track(self, track: MediaStreamTrack) -> None:
        self._reader = asyncio.create_task(self._read(track), name="whep-reader")

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):  # how aiortc says "over"
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.AudioFrame)
                stereo = frame.to_ndarray().reshape(-1, len(frame.layout.channels))
                self._blocks.append(stereo[:, 0].astype(np.int16))
                self._arrived.set()


class WhipClient(_Client):
    """
    Talks in a Space: `source` in a loop, or silence where it is None.

    `messages` holds what came by the stage's data channel, oldest first.
    """

    def __init__(self, api: Api, source: Samples | None = None) -> None:
        super().__init__(api)
        self.messages: list[dict[str, Any]] = []
        track = AudioStreamTrack() if source is None else LoopTrack(source)
        self.pc.addTransceiver(track, direction="sendonly")
        channel = self.pc.createDataChannel("stage")
        channel.on("message", lambda text: self.messages.append(json.loads(text)))


@contextlib.contextmanager
def _loopback_candidates() -> Iterator[None]:
    """
    Let aioice offer 127.0.0.1, which it skips.

    The embedded stack announces that address, and its answers come from there: a
    candidate of another interface would be answered by an address it never asked.
    """
    found = ice.get_host_addresses
    ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]
    try:
        yield
    finally:
        ice.get_host_addresses = found

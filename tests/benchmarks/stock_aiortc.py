"""
A stock aiortc server: `python -m tests.benchmarks.stock_aiortc MODE`.

Each POST of an offer is answered by an `RTCPeerConnection` of its own, which sends one
source through `MediaRelay`.  MODE is what the source gives: `frames` (encoded for each
listener), `packets` (encoded once), `silent` (nothing, to measure joins alone).
"""

import asyncio
import fractions
import sys
from typing import Any

import numpy as np
from aiohttp import web
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription
from aiortc.contrib.media import MediaRelay
from av import AudioFrame, Packet

from tests import speech
from tests.light_clients import opus_frames

BLOCK_SAMPLES = 960
RATE_HZ = 48_000


class _Source(MediaStreamTrack):
    """Recorded speech, 20 ms at a time, on a schedule that does not drift."""

    kind = "audio"

    def __init__(self, mode: str) -> None:
        super().__init__()
        samples = speech.load(next(iter(sorted(speech.DATA.glob("*.wav")))))
        self._mode = mode
        self._blocks = samples[: len(samples) // BLOCK_SAMPLES * BLOCK_SAMPLES]
        self._packets = opus_frames(samples)
        self._index = 0
        self._began_s = 0.0

    async def recv(self) -> Any:
        loop = asyncio.get_running_loop()
        if self._mode == "silent":
            await loop.create_future()
        self._began_s = self._began_s or loop.time()
        due_s = self._began_s + self._index * BLOCK_SAMPLES / RATE_HZ
        await asyncio.sleep(max(0.0, due_s - loop.time()))
        made = self._packet() if self._mode == "packets" else self._frame()
        made.pts = self._index * BLOCK_SAMPLES
        made.time_base = fractions.Fraction(1, RATE_HZ)
        self._index += 1
        return made

    def _packet(self) -> Any:
        return Packet(self._packets[self._index % len(self._packets)])

    def _frame(self) -> Any:
        start = self._index * BLOCK_SAMPLES % len(self._blocks)
        block = np.ascontiguousarray(self._blocks[start : start + BLOCK_SAMPLES])
        frame = AudioFrame.from_ndarray(
            block.reshape(1, -1), format="s16", layout="mono"
        )
        frame.sample_rate = RATE_HZ
        return frame


async def _serve(mode: str) -> None:
    relay, source = MediaRelay(), _Source(mode)
    connections: set[RTCPeerConnection] = set()

    async def whep(request: web.Request) -> web.Response:
        connection = RTCPeerConnection()
        connections.add(connection)
        offer = RTCSessionDescription(sdp=await request.text(), type="offer")
        await connection.setRemoteDescription(offer)
        connection.addTrack(relay.subscribe(source))
        await connection.setLocalDescription(await connection.createAnswer())
        return web.Response(text=connection.localDescription.sdp, status=201)

    app = web.Application()
    app.router.add_post("/whep", whep)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    sys.stdout.write(f"ready http://127.0.0.1:{port}/whep\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))

"""Chromium says recorded speech over a network that loses packets."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import numpy as np
from playwright.async_api import Page, Route, async_playwright

from media_worker.audio.frames import ReceivedPacket
from spaces_contract.roles import PeerKind
from tests import browser
from tests.audio import RATE_HZ, Samples
from tests.media_endpoint import running_endpoint

ORIGIN: Final = "http://localhost/"  # a secure context; the test answers for it
SEED: Final = 1
SETTLE_S: Final = 1.0
SCRIPT: Final = """
async (pcm) => {
  const bytes = Uint8Array.from(atob(pcm), (character) => character.charCodeAt(0));
  const samples = Float32Array.from(new Int16Array(bytes.buffer), (x) => x / 32768);
  const context = new AudioContext({ sampleRate: 48000 });
  const buffer = context.createBuffer(1, samples.length, 48000);
  buffer.copyToChannel(samples, 0);
  const voice = new AudioBufferSourceNode(context, { buffer, loop: true });
  const out = context.createMediaStreamDestination();
  voice.connect(out);
  window.pc = new RTCPeerConnection();
  pc.addTransceiver(out.stream.getTracks()[0], { direction: "sendonly" });
  await pc.setLocalDescription(await pc.createOffer());
  const sdp = await answerOffer(pc.localDescription.sdp);
  await pc.setRemoteDescription({ type: "answer", sdp });
  await new Promise((resolve) => {
    pc.onconnectionstatechange = () => pc.connectionState === "connected" && resolve();
  });
  voice.start();
}
"""


class LossyRelay(asyncio.DatagramProtocol):
    """
    A port before a server's: forwards both ways, but loses some of the client's RTP.

    STUN, DTLS and RTCP always come through.
    """

    def __init__(self, server: tuple[str, int], loss: float) -> None:
        self._server = server
        self._loss = loss
        self._random = np.random.default_rng(SEED)
        self._client: Any = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep what to send by."""
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Forward one datagram, or lose it."""
        if addr == self._server:
            if self._client is not None:
                self._transport.sendto(data, self._client)
            return
        self._client = addr
        is_rtp = 128 <= data[0] < 192 and not 192 <= data[1] <= 223  # RFC 5761, 7983
        if not is_rtp or self._random.random() >= self._loss:
            self._transport.sendto(data, self._server)


async def packets_of_chromium(
    executable: str, said: Samples, loss: float, repeats: int
) -> list[ReceivedPacket]:
    """
    Return what the worker's endpoint receives of `said`, which is said in a loop.

    The endpoint reports what is lost, and Chromium sees to it, as to any server.
    """
    async with running_endpoint("127.0.0.1") as running, _a_page(executable) as page:

        async def answer(offer: str) -> str:
            sdp = await running.open(offer, PeerKind.WHIP, session_id="chromium-lossy")
            (port,) = {
                int(line.split()[5])
                for line in sdp.splitlines()
                if line.startswith("a=candidate")
            }
            relay = LossyRelay(("127.0.0.1", port), loss)
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: relay, local_addr=("127.0.0.1", 0)
            )
            opened.append(transport)
            between = transport.get_extra_info("sockname")[1]
            return sdp.replace(f" {port} typ", f" {between} typ")

        opened: list[asyncio.DatagramTransport] = []
        await page.expose_function("answerOffer", answer)
        await page.evaluate(SCRIPT, base64.b64encode(said.tobytes()).decode())
        await asyncio.sleep(SETTLE_S + repeats * said.size / RATE_HZ)
        packets = [packet for _, packet in running.events.packets]
        for transport in opened:
            transport.close()
        return packets


@contextlib.asynccontextmanager
async def _a_page(executable: str) -> AsyncIterator[Page]:
    async def blank(route: Route) -> None:
        await route.fulfill(body="<!doctype html>", content_type="text/html")

    async with async_playwright() as playwright:
        running = await browser.launch(playwright, executable, None)
        page = await running.new_page()
        await page.route(f"{ORIGIN}**", blank)
        await page.goto(ORIGIN)
        yield page
        await running.close()

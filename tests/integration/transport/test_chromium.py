"""A real browser talks and listens through the endpoint."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Page, async_playwright

from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerKind
from tests.browser import FLAGS, find_chromium
from tests.media_endpoint import (
    RunningEndpoint,
    playing,
    running_endpoint,
    tone_packets,
    until,
)

CHROMIUM = find_chromium()
SCRIPT = """
async function connect(kind) {
  const pc = new RTCPeerConnection();
  window.pc = pc;
  window.messages = [];
  if (kind === 'whip') {
    const context = new AudioContext();
    const tone = new OscillatorNode(context, {frequency: 440});
    const out = context.createMediaStreamDestination();
    tone.connect(out);
    tone.start();
    pc.addTransceiver(out.stream.getTracks()[0], {direction: 'sendonly'});
    pc.createDataChannel('stage').onmessage = (e) => window.messages.push(e.data);
  } else {
    pc.addTransceiver('audio', {direction: 'recvonly'});
    pc.ontrack = (e) => {
      const audio = new Audio();
      audio.srcObject = new MediaStream([e.track]);
      audio.play();
    };
  }
  await pc.setLocalDescription(await pc.createOffer());
  const body = pc.localDescription.sdp;
  const answer = await fetch('/' + kind, {method: 'POST', body});
  await pc.setRemoteDescription({type: 'answer', sdp: await answer.text()});
}
async function statistics(type) {
  const entries = [...(await window.pc.getStats()).values()];
  return entries.find((entry) => entry.type === type) || null;
}
"""


@contextlib.asynccontextmanager
async def a_page(running: RunningEndpoint) -> AsyncIterator[Page]:
    """Open a page whose WHIP and WHEP requests go to the endpoint."""

    async def session(request: web.Request) -> web.Response:
        kind = PeerKind(request.match_info["kind"])
        offer = await request.text()
        answer = await running.open(offer, kind, session_id=f"chromium-{kind}-0001")
        return web.Response(text=answer, status=201, content_type="application/sdp")

    async def page(_: web.Request) -> web.Response:
        html = f"<!doctype html><script>{SCRIPT}</script>"
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", page), web.post("/{kind}", session)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*FLAGS]
            )
            opened = await browser.new_page()
            await opened.goto(f"http://127.0.0.1:{runner.addresses[0][1]}/")
            yield opened
            await browser.close()
    finally:
        await runner.cleanup()


async def statistics(
    page: Page, kind: str, wanted: str, *, above: float = 100
) -> dict[str, Any]:
    """Return the page's RTP statistics once their count `wanted` exceeds `above`."""
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] | None = await page.evaluate(f"statistics('{kind}')")
            if found and found.get(wanted, 0) > above:
                return found
            await asyncio.sleep(0.1)


pytestmark = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"),
    reason="no chromium: apt-get install chromium",
)


async def test_chromium_listens() -> None:
    """
    Chromium plays the mix with nothing lost, and sees in the packets who is heard.
    """
    async with (
        running_endpoint("127.0.0.1") as running,
        a_page(running) as page,
        playing(running.endpoint, tone_packets()),
    ):
        await page.evaluate("connect('whep')")
        await statistics(page, "inbound-rtp", "totalAudioEnergy", above=0.01)
        inbound = await statistics(page, "inbound-rtp", "packetsReceived")
        sources = await page.evaluate(
            "pc.getReceivers()[0].getContributingSources().map((s) => s.source)"
        )
        await statistics(page, "remote-outbound-rtp", "packetsSent", above=0)

    assert inbound["packetsLost"] == 0
    assert set(sources) == {7, 8}


async def test_chromium_talks() -> None:
    """
    Chromium's tone arrives with levels, its stage channel answers, and it is told of
    no loss.
    """
    async with running_endpoint("127.0.0.1") as running, a_page(running) as page:
        await page.evaluate("connect('whip')")
        await until(lambda: running.events.channels)
        session_id = SessionId(running.events.channels[0])
        assert running.endpoint.send_stage_message(session_id, "hello")
        await statistics(page, "outbound-rtp", "packetsSent")
        remote = await statistics(page, "remote-inbound-rtp", "timestamp", above=0)
        await page.wait_for_function("messages.length > 0")
        messages = await page.evaluate("messages")
        await until(lambda: len(running.events.packets) > 75)

    levels = [packet.level_dbov for _, packet in running.events.packets[25:]]
    told = [level for level in levels if level is not None]
    assert told == levels
    # A browser without processor time puts silence in between.
    assert sorted(told)[len(told) // 2] < 30
    assert messages == ["hello"]
    assert remote["packetsLost"] == 0
    assert remote["fractionLost"] == 0

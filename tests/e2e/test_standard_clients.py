"""WHIP and WHEP clients that others wrote work with the URL and the bearer alone."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests import speech
from tests.api import Api
from tests.browser import Browsers
from tests.clients import WhepClient
from tests.hearing import expect_heard
from tests.running_stack import RunningStack

NPM_CLIENTS = speech.DATA / "whip_whep"
SPEECH = speech.DATA / "austen_cold_hearted.wav"
HEARD_S = 6.0  # more than one loop of the 5.3 s
SETTLE_S = 1.0  # jitter buffers find their depth
PATIENCE_S = 60.0
MOST_S = 120.0  # that FFmpeg talks; the test lets it stop when it was heard

OPEN = """
async ([kind, url, token]) => {
  const pc = (window.pc = new RTCPeerConnection());
  const { WHIPClient, WHEPClient } = await import(`/${kind}.js`);
  const open = async () => {
    if (kind === "whip") {
      const media = await navigator.mediaDevices.getUserMedia({ audio: true });
      pc.addTransceiver(media.getAudioTracks()[0], { direction: "sendonly" });
      window.client = new WHIPClient();
      return window.client.publish(pc, url, token);
    }
    pc.addTransceiver("audio", { direction: "recvonly" });
    pc.ontrack = ({ track }) => {
      const audio = new Audio();
      audio.srcObject = new MediaStream([track]);
      audio.play();
    };
    window.client = new WHEPClient();
    return window.client.view(pc, url, token);
  };
  await open();
}
"""
STATISTIC = """
async ([type, name]) => {
  const entries = [...(await window.pc.getStats()).values()];
  return entries.find((entry) => entry.type === type)?.[name] ?? 0;
}
"""


@contextlib.asynccontextmanager
async def a_page(browsers: Browsers, stack: RunningStack) -> AsyncIterator[Page]:
    """Open an empty page of the stack's origin that can import the npm clients."""
    chrome = await browsers.get(SPEECH)
    context = await chrome.new_context(
        permissions=["microphone"], service_workers="block"
    )
    page = await context.new_page()
    blank = "<!doctype html><title>Client</title>"
    await page.route(
        "**/blank", lambda route: route.fulfill(body=blank, content_type="text/html")
    )
    for name in ("whip.js", "whep.js"):
        await page.route(
            f"**/{name}",
            lambda route: route.fulfill(
                path=NPM_CLIENTS / Path(route.request.url).name
            ),
        )
    await page.goto(f"{stack.url}/blank")
    try:
        yield page
    finally:
        await context.close()


async def a_live_space(ana: Api) -> tuple[str, dict[str, Any]]:
    """Start a Space, wait for its worker, and return its id and what `join` answers."""
    space_id = await ana.open_space("Standard clients")
    async with WhepClient(ana) as ready:
        joined = await ana.join(space_id, "speaker")
        await ready.connect(joined["whep_url"], joined["grant"])
    return space_id, joined


async def above(page: Page, kind: str, name: str, least: float) -> None:
    """Wait until a page's statistic exceeds `least`."""
    async with asyncio.timeout(PATIENCE_S):
        value = 0.0
        while value <= least:  # a page's statistics have no event
            await asyncio.sleep(0.1)
            value = await page.evaluate(STATISTIC, [kind, name])


async def speaker_received(stack: RunningStack, space_id: str) -> None:
    """Wait until a Space's worker has received packets of somebody who talks."""
    (worker,) = stack.workers(space_id)
    async with asyncio.timeout(PATIENCE_S):
        received = 0.0
        while received == 0:  # metrics have no event
            await asyncio.sleep(0.1)
            metrics = await asyncio.to_thread(stack.metrics, worker)
            received = sum(
                value for name, value in metrics.items() if "speaker_received" in name
            )


async def test_an_npm_client_talks_and_another_listens(
    stack: RunningStack, browsers: Browsers
) -> None:
    """
    `whip-whep` of npm, in Chromium: what one page publishes another one plays, with
    nothing lost; after `stop` the session is gone at the server.
    """
    async with (
        Api(stack.url, "wanda") as host,
        Api(stack.url, "wim") as guest,
        a_page(browsers, stack) as talking,
        a_page(browsers, stack) as listening,
    ):
        space_id, as_host = await a_live_space(host)
        as_guest = await guest.join(space_id)
        await talking.evaluate(OPEN, ["whip", as_host["whip_url"], as_host["grant"]])
        await listening.evaluate(
            OPEN, ["whep", as_guest["whep_url"], as_guest["grant"]]
        )
        await above(listening, "inbound-rtp", "totalAudioEnergy", 0.005)
        lost = await listening.evaluate(STATISTIC, ["inbound-rtp", "packetsLost"])
        await listening.evaluate("client.stop()")
        await talking.evaluate("client.stop()")
        left = stack.metrics(stack.workers(space_id)[0])

    assert lost == 0
    assert left['parley_worker_sessions{kind="whip"}'] == 0
    assert left['parley_worker_sessions{kind="whep"}'] == 0


async def test_ffmpeg_talks(stack: RunningStack) -> None:
    """
    What FFmpeg's WHIP muxer says in stereo is heard by an aiortc listener.
    """
    async with Api(stack.url, "fred") as host, Api(stack.url, "gus") as guest:
        space_id, as_host = await a_live_space(host)
        as_guest = await guest.join(space_id)
        command = ("-m", "tests.ffmpeg_whip", as_host["whip_url"], as_host["grant"])
        async with WhepClient(guest) as ears:
            await ears.connect(as_guest["whep_url"], as_guest["grant"])
            ffmpeg = await asyncio.create_subprocess_exec(
                sys.executable, *command, str(SPEECH), str(MOST_S)
            )
            try:
                await speaker_received(stack, space_id)
                await asyncio.sleep(SETTLE_S)
                await expect_heard(partial(ears.record, HEARD_S), speech.load(SPEECH))
                ffmpeg.terminate()
                async with asyncio.timeout(PATIENCE_S):
                    exit_code = await ffmpeg.wait()
            finally:
                if ffmpeg.returncode is None:
                    ffmpeg.kill()
                    await ffmpeg.wait()

    assert exit_code == 0

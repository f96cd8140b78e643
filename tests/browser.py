"""People in real Chromium: how tests start it, sign in, and hear what it plays."""

import asyncio
import base64
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from playwright.async_api import Browser, Page, Playwright, expect

from tests.speech import Samples

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    # The last two draw pages of their own into each window, a third of its cost.
    "--disable-features=WebRtcHideLocalIpsWithMdns,WebUIOmniboxPopup,WebUIOmniboxAimPopup",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
)
PHONE: Final = (390, 844)
# Start to first packet is 2 s at most on an idle machine; tests share theirs.
LIVE_TIMEOUT_MS: Final = 80_000
# Playwright gives up after 5 s, which a busy machine takes for anything.
expect.set_options(timeout=LIVE_TIMEOUT_MS)
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
_RECORD: Final = """
async (seconds) => {
  const { srcObject } = document.querySelector("[data-testid=player]");
  const [track] = srcObject.getAudioTracks();
  const own = track.clone();
  const processor = new MediaStreamTrackProcessor({ track: own, maxBufferSize: 500 });
  const reader = processor.readable.getReader();
  const pcm = new Int16Array(seconds * 48000);
  for (let length = 0; length < pcm.length; ) {
    const { value: data } = await reader.read();
    if (data.sampleRate !== 48000) throw new Error(`at ${data.sampleRate} Hz`);
    const block = new Float32Array(data.numberOfFrames);
    data.copyTo(block, { planeIndex: 0, format: "f32-planar" });
    data.close();
    for (const sample of block) if (length < pcm.length) pcm[length++] = 32767 * sample;
  }
  await reader.cancel();
  own.stop();
  let text = "";
  for (const byte of new Uint8Array(pcm.buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}
"""

# A network without UDP: offers are answered, and no candidate leads anywhere.
BLOCK_UDP: Final = """
const { prototype } = RTCPeerConnection;
const { setRemoteDescription } = prototype;
window.udpBlocked = true;
prototype.setRemoteDescription = function (answer) {
  const sdp = answer.sdp.replace(/(a=candidate:\\S+ 1 udp \\d+ \\S+) \\d+/g, "$1 9");
  const told = window.udpBlocked ? { ...answer, sdp } : answer;
  return setRemoteDescription.call(this, told);
};
"""
# Energy of what the page plays, summed over some seconds; silence has none.
_ENERGY: Final = """
async (seconds) => {
  const stream = document.querySelector("[data-testid=player]").captureStream();
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  new MediaStreamAudioSourceNode(context, { mediaStream: stream }).connect(analyser);
  const samples = new Float32Array(2048);
  let energy = 0;
  for (let i = 0; i < 20 * seconds; i += 1) {
    await new Promise((done) => setTimeout(done, 50));
    analyser.getFloatTimeDomainData(samples);
    for (const sample of samples) energy += (sample * sample) / samples.length;
  }
  await context.close();
  return energy;
}
"""
AUDIBLE: Final = 0.01  # energy; seconds of speech have 0.1 and more

Screenshot = Callable[[Page, str], Awaitable[None]]


class PageFor(Protocol):
    """Opens a page of somebody who has signed in."""

    async def __call__(
        self, handle: str, microphone: Path | None = None, *, on_feed: bool = True
    ) -> Page:
        """
        Sign `handle` in.

        Args:
            microphone: A WAV file, which they say in a loop.
            on_feed: Load the feed; False where they go elsewhere at once.
        """
        ...


def find_chromium() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next((path for name in _NAMES if (path := shutil.which(name))), None)


async def launch(
    playwright: Playwright, executable: str, microphone: Path | None
) -> Browser:
    """Start Chromium; its fake microphone loops the WAV file, or beeps for None."""
    flags = list(FLAGS)
    if microphone is not None:
        flags.append(f"--use-file-for-fake-audio-capture={microphone}")
    return await playwright.chromium.launch(executable_path=executable, args=flags)


class Browsers:
    """
    Chromium processes, started when first asked for.

    The fake microphone is a flag of the process, so each voice has one of its own.
    """

    def __init__(self, playwright: Playwright, executable: str) -> None:
        self._playwright = playwright
        self._executable = executable
        self._running: dict[Path | None, Browser] = {}

    async def get(self, microphone: Path | None) -> Browser:
        """Return the one with this voice."""
        if microphone not in self._running:
            self._running[microphone] = await launch(
                self._playwright, self._executable, microphone
            )
        return self._running[microphone]

    async def aclose(self) -> None:
        """End them all."""
        for running in self._running.values():
            await running.close()


async def sign_in(page: Page, handle: str) -> None:
    """Sign in on the feed, as somebody new would."""
    await page.goto("/?raw_audio=1")
    await page.get_by_test_id("sign-in-open").click()
    await page.get_by_test_id("sign-in-handle").fill(handle)
    await page.get_by_test_id("sign-in-submit").click()
    name = page.get_by_test_id("sign-in-name")
    account = page.get_by_test_id("account")
    await expect(name.or_(account)).to_be_visible()
    if await name.is_visible():
        await name.fill(handle.title())
        await page.get_by_test_id("sign-in-submit").click()
    await expect(account).to_be_visible()


async def start_space(page: Page, title: str, policy: str = "everyone") -> str:
    """Start a Space from the feed, and return its path once it is live."""
    await page.get_by_test_id("start-space").click()
    await page.get_by_test_id("start-title").fill(title)
    await page.get_by_test_id(f"policy-{policy}").click()
    await page.get_by_test_id("start-submit").click()
    await expect_live(page)
    return "/s/" + page.url.rsplit("/", 1)[-1]


async def listen(page: Page, path: str) -> None:
    """Come in by the link of a Space and listen."""
    await page.goto(f"{path}?raw_audio=1")
    await page.get_by_test_id("join-listen").click()
    await expect_live(page)


async def run_module(page: Page, module: str, body: str) -> Any:
    """Return what `body`, JavaScript, makes of the client's module `m`."""
    return await page.evaluate(
        f'async () => {{ const m = await import("{module}"); {body} }}'
    )


async def without_hls(page: Page) -> None:
    """Let WebRTC be waited for: HLS steps in where a busy machine takes long for it."""
    await page.route("**/listen.m3u8?*", lambda route: route.abort())


async def expect_live(page: Page) -> None:
    """Wait until media flows."""
    room = page.get_by_test_id("room")
    await expect(room).to_have_attribute("data-connection", "live")


async def expect_transport(page: Page, transport: str) -> None:
    """Wait until one hears by this way: "webrtc" or "hls"."""
    await expect_live(page)
    await expect(page.get_by_test_id("room")).to_have_attribute(
        "data-transport", transport
    )


async def energy(page: Page, duration_s: float) -> float:
    """Return the energy of what the page plays for so long, whichever way it came."""
    return float(await page.evaluate(_ENERGY, duration_s))


async def expect_audible(page: Page) -> None:
    """Wait until the page plays something; on a busy machine a player may stall."""
    async with asyncio.timeout(LIVE_TIMEOUT_MS / 1000):
        while await energy(page, 1.0) <= AUDIBLE:
            pass


async def record(page: Page, duration_s: float) -> Samples:
    """Return what the page plays for `duration_s` seconds: 48 kHz, mono."""
    pcm = await page.evaluate(_RECORD, duration_s)
    return np.frombuffer(base64.b64decode(pcm), np.int16)

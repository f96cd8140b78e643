"""
Replace the workers of live Spaces one by one: `python -m tests.soak.upgrade`.

Five Spaces in the whole embedded stack, two of them recorded.  Their hosts talk all
the time; light clients listen, and where there is a Chromium, a page by WebRTC and one
by HLS.  Each worker is sent SIGTERM, as an operator would; with `--image` they are
containers of podman, and the image's name is given to a new version before.  It prints
the longest silence that each kind of listener heard, and what the recordings lack; it
fails where a promise of `infra/operations.md` is broken.
"""

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import docker
from playwright.async_api import Page, async_playwright

from tests import browser
from tests.containers.engine import running_engine
from tests.containers.upgraded_stack import UpgradedStack, upgraded_stack
from tests.hls_library import built_hls_js
from tests.running_stack import ROOT, running_stack
from tests.soak.listening import NO_PLAYER, SIGN_IN
from tests.upgrading import FRAME_S, Stack, UpgradedSpace, unrecorded_s

MOST_SILENCE_S: Final = 3.0
MOST_UNRECORDED_S: Final = 1.0  # as where a worker is killed (ADR 19)
RECORDED: Final = 2
SETTLE_S: Final = 8.0  # before and after, so that an HLS player's buffer is heard too
# The longest time without sound in a page; a silence that lasts counts as well.
SILENCE: Final = """
  let heardMs = performance.now();
  let longestMs = 0;
  window.longest = () => Math.max(longestMs, performance.now() - heardMs);
  window.forget = () => { longestMs = 0; };
  const heard = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - heardMs);
    heardMs = nowMs;
  };
"""
# From an HLS player, which stays one and the same.
WATCH_PLAYER: Final = f"""
() => {{{SILENCE}
  const mediaStream = document.querySelector("[data-testid=player]").captureStream();
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, {{ fftSize: 2048 }});
  new MediaStreamAudioSourceNode(context, {{ mediaStream }}).connect(analyser);
  const samples = new Float32Array(2048);
  setInterval(() => {{
    analyser.getFloatTimeDomainData(samples);
    if (Math.max(...samples.map(Math.abs)) >= 0.005) heard();
  }}, 20);
}}
"""
# From one connection after the other: a captured stream ends with the first of them.
KEEP_PEERS: Final = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) {
    super(...given);
    window.peers.push(this);
  }
};
"""
WATCH_PEERS: Final = f"""
() => {{{SILENCE}
  const energies = new Map();
  setInterval(async () => {{
    for (const peer of window.peers) {{
      for (const {{ type, totalAudioEnergy }} of (await peer.getStats()).values()) {{
        if (type !== "inbound-rtp") continue;
        if (totalAudioEnergy > (energies.get(peer) ?? 0) + 1e-7) heard();
        energies.set(peer, totalAudioEnergy);
      }}
    }}
  }}, 20);
}}
"""


@dataclass
class Figures:
    """What was measured, in seconds."""

    silences: dict[str, list[float]] = field(default_factory=dict)
    before: dict[str, float] = field(default_factory=dict)  # by others' upgrades alone
    unrecorded: list[float] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)  # of recordings, as they label them
    waits: list[float] = field(default_factory=list)
    refusals: int = 0
    stood_still_s: float = 0.0  # this process itself; no worker is to blame for that
    versions: list[bool] | None = None  # of containers: whose image is the new one

    @property
    def good(self) -> bool:
        """Whether all promises were kept."""
        longest = max(max(each) for each in self.silences.values())
        lacking = max(self.unrecorded, default=0.0)
        heard = longest <= MOST_SILENCE_S and lacking <= MOST_UNRECORDED_S
        return heard and all(self.versions or [])

    def text(self) -> str:
        """Return a line for each figure."""
        lines = [
            _line(f"silence, {name}", each) for name, each in self.silences.items()
        ]
        lines += [
            f"silence, {name}, before its own worker went: max {each:.2f} s"
            for name, each in self.before.items()
        ]
        lines.append(_line("said to a worker, not recorded", self.unrecorded))
        lines.append(_line("from SIGTERM until all were back", self.waits))
        lines.append(f"labelled gaps: {', '.join(self.gaps) or 'none'}")
        lines.append(f"sessions refused meanwhile: {self.refusals}")
        lines.append(f"these clients stood still: max {self.stood_still_s:.2f} s")
        if self.versions is not None:
            new, all_ = sum(self.versions), len(self.versions)
            lines.append(f"workers that run, of the new image: {new} of {all_}")
        return "\n".join(lines)


def _line(name: str, values: Sequence[float]) -> str:
    middle, most = statistics.median(values), max(values)
    return f"{name}: p50 {middle:.2f} s, max {most:.2f} s ({len(values)})"


@dataclass(frozen=True)
class PageEars:
    """A page that listens to a Space."""

    space: UpgradedSpace
    page: Page

    async def longest_s(self) -> float:
        """Return its longest silence, in seconds."""
        return float(await self.page.evaluate("window.longest()")) / 1000


async def _watch_ourselves(figures: Figures) -> None:
    """Note how long this process was kept from running; ends by cancellation."""
    while True:
        began_s = time.monotonic()
        await asyncio.sleep(FRAME_S)
        late_s = time.monotonic() - began_s - FRAME_S
        figures.stood_still_s = max(figures.stood_still_s, late_s)


async def _page(
    browsers: browser.Browsers,
    space: UpgradedSpace,
    handle: str,
    library: Path | None,
) -> PageEars:
    """Open a page that listens; by hls.js, where its library is given."""
    chrome = await browsers.get(None)
    context = await chrome.new_context(
        base_url=space.stack.url,
        ignore_https_errors=True,  # a person accepts the certificate once
    )
    page = await context.new_page()
    await page.goto("/")
    await page.evaluate(SIGN_IN, [handle, handle.title()])
    if library is None:
        await page.add_init_script(KEEP_PEERS)
    else:
        await page.add_init_script(browser.BLOCK_UDP)
        await page.add_init_script(NO_PLAYER)
        await page.route(
            "**/vendor/hls.min.mjs", lambda route: route.fulfill(path=library)
        )
    await browser.listen(page, f"/s/{space.id}")
    await browser.expect_transport(page, "webrtc" if library is None else "hls")
    await page.evaluate(WATCH_PEERS if library is None else WATCH_PLAYER)
    return PageEars(space, page)


async def _pages(
    opened: contextlib.AsyncExitStack,
    spaces: Sequence[UpgradedSpace],
    chromium: str,
    library: Path | None,
) -> dict[str, PageEars]:
    """Return pages by how they listen."""
    playwright = await opened.enter_async_context(async_playwright())
    browsers = browser.Browsers(playwright, chromium)
    opened.push_async_callback(browsers.aclose)
    *_, first, second = spaces  # which nobody records, so that nobody asks the pages
    pages = {"Chromium": await _page(browsers, first, "up_webrtc", None)}
    if library is not None:
        pages["hls.js"] = await _page(browsers, second, "up_hls", library)
    return pages


async def _measure(
    stack: Stack,
    spaces: int,
    guests: int,
    chromium: str | None,
    library: Path | None,
) -> Figures:
    figures = Figures()
    async with contextlib.AsyncExitStack() as opened:
        live = [
            await opened.enter_async_context(
                UpgradedSpace(stack, number=n, guests=guests, recorded=n < RECORDED)
            )
            for n in range(spaces)
        ]
        pages = await _pages(opened, live, chromium, library) if chromium else {}
        refused = _refusals(live)
        await asyncio.sleep(SETTLE_S)
        for space in live:
            for each in space.listeners:
                each.ears.begin()  # whoever came while others were let in had it rough
        await _upgrade(stack, live, pages, figures)
        await _note_silences(live, pages, figures)
        figures.refusals = _refusals(live) - refused
        await _note_recordings(live[:RECORDED], figures)
    return figures


def _refusals(spaces: Sequence[UpgradedSpace]) -> int:
    return sum(each.api.refusals for space in spaces for each in space.people)


async def _upgrade(
    stack: Stack,
    spaces: Sequence[UpgradedSpace],
    pages: Mapping[str, PageEars],
    figures: Figures,
) -> None:
    """Let one worker after the other go, until all have successors."""
    if isinstance(stack, UpgradedStack):
        await asyncio.to_thread(stack.publish)
    watching = asyncio.create_task(_watch_ourselves(figures))
    for space in spaces:
        # Those of the last Spaces hear meanwhile how busy this machine is.
        for name, ears in pages.items():
            if ears.space is space:
                figures.before[name] = await ears.longest_s()
                await ears.page.evaluate("window.forget()")
        began_s = time.monotonic()
        await space.drain()
        figures.waits.append(time.monotonic() - began_s)
    await asyncio.sleep(SETTLE_S)
    watching.cancel()
    if isinstance(stack, UpgradedStack):
        figures.versions = await asyncio.to_thread(stack.versions)


async def _note_silences(
    spaces: Sequence[UpgradedSpace], pages: Mapping[str, PageEars], figures: Figures
) -> None:
    figures.silences["light clients"] = [
        each.ears.missing_frames * FRAME_S
        for space in spaces
        for each in space.listeners
    ]
    for name, ears in pages.items():
        figures.silences[name] = [await ears.longest_s()]


async def _note_recordings(spaces: Sequence[UpgradedSpace], figures: Figures) -> None:
    for space in spaces:
        await space.recording()
        manifest = await space.manifest()
        figures.unrecorded.append(unrecorded_s(space, manifest))
        figures.gaps += [
            f"{gap['reason']} {(gap['to_ms'] - gap['from_ms']) / 1000:.2f} s"
            for gap in manifest["gaps"]
        ]


@contextlib.contextmanager
def _stack(folder: Path, image: str | None) -> Iterator[Stack]:
    """Start a stack; where an image of the worker is given, with containers of it."""
    if image is None:
        with running_stack(folder / "stack") as processes:
            yield processes
        return
    conf = ROOT / "tests" / "containers" / "containers.conf"
    os.environ.setdefault("CONTAINERS_CONF", str(conf))
    with (
        running_engine(folder) as url,
        contextlib.closing(docker.DockerClient(base_url=url)) as engine,
        upgraded_stack(folder / "stack", engine, url, image) as containers,
    ):
        yield containers


def main() -> None:
    """Parse the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spaces", type=int, default=5)
    parser.add_argument("--guests", type=int, default=5)
    parser.add_argument("--no-pages", action="store_true", help="light clients alone")
    parser.add_argument("--image", help="of the worker: run containers of it")
    told = parser.parse_args()
    if told.spaces < RECORDED + 2:
        parser.error(f"at least {RECORDED + 2} Spaces")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        chromium = None if told.no_pages else browser.find_chromium()
        library = built_hls_js(folder) if chromium else None
        with _stack(folder, told.image) as stack:
            figures = asyncio.run(
                _measure(stack, told.spaces, told.guests, chromium, library)
            )
    sys.stdout.write(figures.text() + "\n")
    sys.exit(0 if figures.good else 1)


if __name__ == "__main__":
    main()

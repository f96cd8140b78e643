"""
Listen by HLS for long, natively and by hls.js: `python -m tests.soak.listening`.

Both pages stand behind a network without UDP, in the whole embedded stack.  It prints
each stall, and what was asked for; it fails where anything stalled.
"""

import argparse
import asyncio
import contextlib
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from playwright.async_api import Page, Request, async_playwright

from tests import browser, speech
from tests.api import Api
from tests.hls_library import built_hls_js
from tests.light_clients import LightSpeaker, opus_frames
from tests.nginx_cdn import kind_of
from tests.running_stack import RunningStack, running_stack

SAMPLE_S: Final = 5.0
NO_PLAYER: Final = "HTMLMediaElement.prototype.canPlayType = () => '';"
# Waiting before the first sound is no stall.
WATCH: Final = """
() => {
  const audio = document.querySelector("[data-testid=player]");
  window.stalls = [];
  for (const name of ["waiting", "error", "emptied"])
    audio.addEventListener(name, () => window.stalls.push([name, audio.currentTime]));
}
"""
SIGN_IN: Final = """
async ([handle, name]) => {
  const { createProfile, signIn } = await import("/session.js");
  const { account, profile } = await signIn(handle);
  if (!profile) await createProfile(account, name);
}
"""


@dataclass
class Listener:
    """A page, what it asked for, and how often it was not live by HLS."""

    name: str
    page: Page
    asked: Counter[str] = field(default_factory=Counter)
    absent: int = 0

    async def sample(self) -> None:
        """Look once."""
        room = self.page.get_by_test_id("room")
        seen = [
            await room.get_attribute(f"data-{name}")
            for name in ("connection", "transport")
        ]
        self.absent += seen != ["live", "hls"]

    async def report(self) -> tuple[str, bool]:
        """Return what is to be said of it, and whether nothing stalled."""
        stalls = await self.page.evaluate("window.stalls")
        heard = await browser.energy(self.page, SAMPLE_S) > browser.AUDIBLE
        text = (
            f"{self.name}: {len(stalls)} stalls {stalls}, away in {self.absent} "
            f"samples, {'heard' if heard else 'silent'} at the end; asked for "
            f"{dict(self.asked)}"
        )
        return text, heard and not stalls and not self.absent


async def _listen(stack: RunningStack, library: Path | None, minutes: float) -> bool:
    async with contextlib.AsyncExitStack() as opened:
        host = await opened.enter_async_context(Api(stack.url, "host"))
        space_id = await host.open_space("For long")
        joined = await host.join(space_id)
        speaker = LightSpeaker(host, opus_frames(speech.conversation(1)[0]))
        opened.push_async_callback(speaker.aclose)
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        playwright = await opened.enter_async_context(async_playwright())
        browsers = browser.Browsers(playwright, browser.find_chromium() or "chromium")
        opened.push_async_callback(browsers.aclose)
        listeners = [await _page(browsers, stack, space_id, "native", None)]
        if library is not None:
            listeners.append(await _page(browsers, stack, space_id, "hls.js", library))
        for _ in range(int(60 * minutes / SAMPLE_S)):
            await asyncio.sleep(SAMPLE_S)
            for listener in listeners:
                await listener.sample()
        reports = [await listener.report() for listener in listeners]
    for text, _ in reports:
        sys.stdout.write(text + "\n")
    return all(good for _, good in reports)


async def _page(
    browsers: browser.Browsers,
    stack: RunningStack,
    space_id: str,
    name: str,
    library: Path | None,
) -> Listener:
    chrome = await browsers.get(None)
    page = await (await chrome.new_context(base_url=stack.url)).new_page()
    listener = Listener(name, page)

    def note(request: Request) -> None:
        listener.asked[kind_of(request.url.split("?")[0])] += 1

    await page.goto("/")
    handle = f"ear_{name.replace('.', '_')}"
    await page.evaluate(SIGN_IN, [handle, name])
    await page.add_init_script(browser.BLOCK_UDP)
    if library is not None:
        await page.add_init_script(NO_PLAYER)
        await page.route(
            "**/vendor/hls.min.mjs", lambda route: route.fulfill(path=library)
        )
    page.on("request", note)
    await browser.listen(page, f"/s/{space_id}")
    await browser.expect_transport(page, "hls")
    await page.evaluate(WATCH)
    return listener


def main() -> None:
    """Parse the command line and listen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = built_hls_js(folder)
        with running_stack(folder / "stack") as stack:
            good = asyncio.run(_listen(stack, library, minutes))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()

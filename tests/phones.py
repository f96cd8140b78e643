"""Two phones on a stack that this machine serves at an address of its own."""

import socket
import sys
from functools import partial
from typing import Final

from playwright.async_api import Page, async_playwright

from tests import browser, speech
from tests.browser import expect_live
from tests.hearing import expect_heard

SPEECH: Final = speech.DATA / "austen_cold_hearted.wav"
HEARD_S: Final = 7.0
PATIENCE_MS: Final = 60_000


def another_address() -> str:
    """Return an address of this machine that is not 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: sends nothing, asks the route
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])


async def talk(url: str, chromium: str) -> None:
    """One starts a Space over TLS and speaks; assert that the other one hears it."""
    width, height = browser.PHONE
    async with async_playwright() as playwright:
        phones = await browser.launch(playwright, chromium, SPEECH)
        pages = []
        for handle in ("lea", "mia"):
            context = await phones.new_context(
                base_url=url,
                viewport={"width": width, "height": height},
                permissions=["microphone"],
                ignore_https_errors=True,  # a person accepts the certificate once
            )
            context.set_default_timeout(PATIENCE_MS)
            pages.append(await context.new_page())
            _tell_trouble(pages[-1], handle)
            await browser.sign_in(pages[-1], handle)
        talker, listener = pages
        await browser.without_hls(listener)
        path = await browser.start_space(talker, "From the sofa")
        await browser.listen(listener, path)
        await talker.get_by_test_id("mic").click()
        await expect_live(talker)
        record = partial(browser.record, listener, HEARD_S)
        await expect_heard(record, speech.load(SPEECH))
        secure = await talker.evaluate("isSecureContext")
        await phones.close()

    assert secure


def _tell_trouble(page: Page, handle: str) -> None:
    """Print what went wrong in a page; pytest shows it where the test fails."""

    def tell(what: object) -> None:
        sys.stderr.write(f"{handle}: {what}\n")

    page.on("pageerror", tell)
    page.on("requestfailed", lambda request: tell(f"{request.url} {request.failure}"))
    page.on(
        "console",
        lambda said: tell(said.text) if said.type in ("error", "warning") else None,
    )

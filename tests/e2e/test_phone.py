"""`make up HOST=…`: a phone on the same network, over TLS."""

import socket
from pathlib import Path

from playwright.async_api import async_playwright

from tests import browser, speech
from tests.browser import expect_live
from tests.running_stack import running_stack
from tests.similarity import likeness

SPEECH = speech.DATA / "austen_cold_hearted.wav"
HEARD_S = 7.0
MIN_WAVEFORM = 0.6  # as in test_talk.py


def another_address() -> str:
    """Return an address of this machine that is not 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: sends nothing, asks the route
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])


async def test_a_phone_talks_and_listens_over_tls(
    chromium: str, tmp_path: Path
) -> None:
    """
    On another address the page has a secure context, so its microphone works, and a
    second phone hears what is said.
    """
    host = another_address()
    with running_stack(tmp_path, host=host) as stack:
        async with async_playwright() as playwright:
            phone = await browser.launch(playwright, chromium, SPEECH)
            width, height = browser.PHONE
            pages = []
            for handle in ("lea", "mia"):
                context = await phone.new_context(
                    base_url=stack.url,
                    viewport={"width": width, "height": height},
                    permissions=["microphone"],
                    ignore_https_errors=True,  # a person accepts the certificate once
                )
                pages.append(await context.new_page())
                await browser.sign_in(pages[-1], handle)
            talker, listener = pages
            path = await browser.start_space(talker, "From the sofa")
            await browser.listen(listener, path)
            await talker.get_by_test_id("mic").click()
            await expect_live(talker)
            heard = await browser.record(listener, HEARD_S)
            secure = await talker.evaluate("isSecureContext")
            await phone.close()

    assert stack.url.startswith(f"https://{host}:")
    assert secure
    assert likeness(heard, speech.load(SPEECH)).waveform >= MIN_WAVEFORM

"""One speaks, others hear: the reason why all of this exists."""

import asyncio
from functools import partial

from playwright.async_api import Page, expect

from tests import browser, speech
from tests.api import Api
from tests.browser import PageFor, Screenshot
from tests.clients import WhepClient
from tests.hearing import expect_heard
from tests.running_stack import RunningStack
from tests.similarity import likeness, rms

SPEECH = speech.DATA / "austen_cold_hearted.wav"
HEARD_S = 7.0  # more than one loop of the 5.3 s
SILENT_S = 1.0
MAX_UNLIKENESS = 0.35
SETTLE_S = 1.0  # jitter buffers find their depth while a voice is new
MAX_SILENCE_RMS = 3.0  # of 32,767: -81 dBFS; no second of the speech is below 900
# What was said before a mute is on its way for long where buffers have grown.
SILENCE_TRIES = 20


async def test_two_listeners_hear_what_the_host_says(
    stack: RunningStack, page_for: PageFor, screenshot: Screenshot
) -> None:
    """
    A host's recorded speech reaches a listener in Chromium and one of aiortc, alike
    enough to be nothing else; once the host mutes, both hear silence.
    """
    host = await page_for("ana", SPEECH)
    path = await browser.start_space(host, "Reading Sense and Sensibility")
    listener = await page_for("bo", on_feed=False)
    await browser.without_hls(listener)
    await browser.listen(listener, path)
    async with Api(stack.url, "cleo") as api, WhepClient(api) as ears:
        joined = await api.join(path.removeprefix("/s/"))
        await ears.connect(joined["whep_url"], joined["grant"])

        await host.get_by_test_id("mic").click()
        await _expect_talking(listener, "ana")
        await asyncio.sleep(SETTLE_S)
        await screenshot(host, "room-speaking")
        said = speech.load(SPEECH)
        await asyncio.gather(
            expect_heard(partial(browser.record, listener, HEARD_S), said),
            expect_heard(partial(ears.record, HEARD_S), said),
        )

        await host.get_by_test_id("mic").click()
        await _expect_muted(listener, "ana")
        await screenshot(host, "room-muted")
        await _expect_silence(listener, ears)


async def test_the_end_is_seen_by_all(
    page_for: PageFor, screenshot: Screenshot
) -> None:
    """
    When the host ends the Space, the host and the listener see that it is over.
    """
    host = await page_for("dora", SPEECH)
    path = await browser.start_space(host, "Over soon")
    listener = await page_for("emil", on_feed=False)
    await browser.listen(listener, path)

    await host.get_by_test_id("end").click()
    await host.get_by_test_id("end-confirm").click()

    await expect(host.get_by_test_id("ended")).to_be_visible()
    await expect(listener.get_by_test_id("ended")).to_be_visible()
    await screenshot(listener, "ended")


async def test_two_speakers_hear_each_other(page_for: PageFor) -> None:
    """
    A listener who goes on stage is heard by the host, and neither hears themselves.
    """
    second = speech.DATA / "austen_not_ill_disposed.wav"
    host = await page_for("fay", SPEECH)
    path = await browser.start_space(host, "Two voices", policy="everyone")
    guest = await page_for("gil", second, on_feed=False)
    await browser.without_hls(guest)
    await browser.listen(guest, path)

    await guest.get_by_test_id("speak").click()
    await expect(guest.get_by_test_id("room")).to_have_attribute("data-role", "speaker")
    await guest.get_by_test_id("mic").click()
    await host.get_by_test_id("mic").click()
    await _expect_talking(host, "gil")
    await _expect_talking(guest, "fay")
    await asyncio.sleep(SETTLE_S)
    fay, gil = speech.load(SPEECH), speech.load(second)
    by_host, by_guest = await asyncio.gather(
        expect_heard(partial(browser.record, host, HEARD_S), gil),
        expect_heard(partial(browser.record, guest, HEARD_S), fay),
    )

    assert likeness(by_host, fay).waveform <= MAX_UNLIKENESS
    assert likeness(by_guest, gil).waveform <= MAX_UNLIKENESS


async def _expect_silence(page: Page, client: WhepClient) -> None:
    """Wait until neither hears anything, for a second."""
    loudness: list[float] = []
    for _ in range(SILENCE_TRIES):
        heard = await asyncio.gather(
            browser.record(page, SILENT_S), client.record(SILENT_S)
        )
        loudness = [rms(samples) for samples in heard]
        if max(loudness) <= MAX_SILENCE_RMS:
            return
    raise AssertionError(f"somebody is heard still: {loudness}")


async def _expect_talking(page: Page, handle: str) -> None:
    member = page.locator(f"[data-testid=stage-member][data-handle={handle}]")
    await expect(member).to_have_attribute("data-talking", "true")


async def _expect_muted(page: Page, handle: str) -> None:
    member = page.locator(f"[data-testid=stage-member][data-handle={handle}]")
    await expect(member).to_have_attribute("data-muted", "true")

"""One evening with three people, at phone size: from the schedule to the end."""

import re

from playwright.async_api import Locator, Page, expect

from tests import browser, speech
from tests.browser import LIVE_TIMEOUT_MS, PageFor, Screenshot

SPEECH = speech.DATA / "austen_cold_hearted.wav"
TITLE = "Songs we never finished writing"


async def test_an_evening_of_three(page_for: PageFor, screenshot: Screenshot) -> None:
    """
    A Space is scheduled, awaited, begun early and pushed; a listener asks to speak, is
    taken up, muted and removed; and with the host's word it ends for who is left.
    """
    host = await page_for("ada", SPEECH)
    guest = await page_for("ben", SPEECH, on_feed=False)
    other = await page_for("cleo", on_feed=False)

    path = await _schedule(host)
    await _await_start(guest, path)
    await other.goto(path)
    await expect(other.get_by_test_id("countdown")).to_contain_text("min")
    await screenshot(other, "scheduled")
    await guest.goto("/phone")

    await host.get_by_test_id("start-early").click()
    await browser.expect_live(host)
    await _come_by_push(guest, screenshot)
    await other.get_by_test_id("join-listen").click(timeout=LIVE_TIMEOUT_MS)
    await browser.expect_live(other)

    await guest.get_by_test_id("speak").click()
    await _accept(host, "ben", screenshot)
    asked = guest.get_by_test_id("confirm")
    await expect(asked).to_contain_text("You can speak now")
    await guest.get_by_test_id("promotion-accept").click(timeout=LIVE_TIMEOUT_MS)
    room = guest.get_by_test_id("room")
    await expect(room).to_have_attribute("data-role", "speaker")
    await expect(_tile(other, "ben")).to_have_attribute("data-muted", "false")

    await _about(host, "ben", "mute-other")
    await expect(room).to_have_attribute("data-muted", "true")
    await _about(host, "ben", "remove")
    await expect(guest.get_by_test_id("problem")).to_have_attribute(
        "data-code", "removed"
    )
    await expect(_tile(other, "ben")).to_have_count(0)

    await host.get_by_test_id("end").click()
    await host.get_by_test_id("end-confirm").click()
    for page in (host, other):
        ended = page.get_by_test_id("ended")
        await expect(ended).to_contain_text(TITLE)


async def _schedule(host: Page) -> str:
    """Make a Space for later, by invitation, and return its path."""
    await host.get_by_test_id("start-space").click()
    await host.get_by_test_id("start-title").fill(TITLE)
    await host.get_by_test_id("timing-later").click()
    await host.get_by_test_id("policy-invited").click()
    await host.get_by_test_id("start-submit").click()
    await expect(host.get_by_test_id("waiting")).to_contain_text(TITLE)
    return "/s/" + host.url.rsplit("/", 1)[-1]


async def _await_start(guest: Page, path: str) -> None:
    """Find the Space among those to come, and ring its bell."""
    await guest.goto("/")
    upcoming = guest.get_by_test_id("upcoming-space").filter(
        has=guest.locator(f"a[href='{path}']")
    )
    bell = upcoming.get_by_test_id("bell")
    await bell.click()
    await expect(bell).to_have_attribute("aria-pressed", "true")


async def _come_by_push(guest: Page, screenshot: Screenshot) -> None:
    """Come in by the push that the phone shows, and listen."""
    push = guest.get_by_test_id("push").filter(has_text="Ada is live")
    await expect(push).to_be_visible()
    await screenshot(guest, "push")
    await push.get_by_role("link").click()
    await guest.get_by_test_id("join-listen").click()
    await browser.expect_live(guest)


async def _accept(host: Page, handle: str, screenshot: Screenshot) -> None:
    """Let whoever asks come up, from the list of people."""
    await expect(host.get_by_test_id("hands-badge")).to_have_text("1")
    await host.get_by_test_id("people").click()
    request = host.locator(f"[data-testid=request][data-handle={handle}]")
    await expect(request).to_be_visible()
    await screenshot(host, "request")
    await request.get_by_test_id("request-accept").click()
    await expect(request).to_have_count(0)
    await _close_sheets(host)


async def _about(host: Page, handle: str, action: str) -> None:
    """Do something about somebody on stage."""
    await _tile(host, handle).get_by_role("button").click()
    sheet = host.get_by_test_id("member-sheet")
    await sheet.get_by_test_id(action).click()
    await expect(sheet).to_have_count(0)


async def _close_sheets(page: Page) -> None:
    sheet = page.get_by_test_id("people-sheet")
    await sheet.get_by_role("button", name=re.compile("^Close$")).click()
    await expect(sheet).to_have_count(0)


def _tile(page: Page, handle: str) -> Locator:
    return page.locator(f"[data-testid=stage-member][data-handle={handle}]")

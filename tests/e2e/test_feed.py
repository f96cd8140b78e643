"""The feed: what it shows of live Spaces, and while one is in one."""

import json
import re
from typing import Any

from playwright.async_api import Page, Route, expect

from tests import browser, speech
from tests.browser import PageFor

SPEECH = speech.DATA / "austen_cold_hearted.wav"


async def answer_with(page: Page, path: str, status: int, body: dict[str, Any]) -> None:
    """Let requests to `path` be answered so, instead of by the stack."""

    async def answer(route: Route) -> None:
        await route.fulfill(
            status=status, body=json.dumps(body), content_type="application/json"
        )

    await page.route(re.compile(path), answer)


async def test_new_spaces_come_into_the_feed(page_for: PageFor) -> None:
    """
    Somebody who looks at the feed sees a Space that starts, without reloading.
    """
    watcher = await page_for("ivo")
    host = await page_for("jana", SPEECH)

    await browser.start_space(host, "Fresh from the oven")

    card = watcher.get_by_role("link", name="Fresh from the oven")
    await expect(card).to_be_visible()


async def test_a_quiet_feed_invites(page_for: PageFor) -> None:
    """
    With nobody live the feed says so and offers to start a Space.
    """
    page = await page_for("kai", on_feed=False)
    await answer_with(
        page, "/v1/spaces\\?", 200, {"spaces": [], "next_page_token": None}
    )

    await page.goto("/")

    await expect(page.get_by_test_id("feed-empty")).to_contain_text("quiet")


async def test_a_feed_that_fails_can_be_tried_again(page_for: PageFor) -> None:
    """
    A server that is down is told in words, and trying again brings the feed.
    """
    page = await page_for("lea", on_feed=False)
    problem = {"type": "https://parley.dev/problems/dependency-unavailable"}
    await answer_with(page, "/v1/spaces\\?", 503, problem)
    await page.goto("/")
    await expect(page.get_by_test_id("problem")).to_have_attribute(
        "data-code", "dependency-unavailable"
    )

    await page.unroute_all()
    await page.get_by_test_id("problem-act").click()

    await expect(page.get_by_test_id("problem")).to_have_count(0)


async def test_one_may_look_around_while_listening(page_for: PageFor) -> None:
    """
    The feed keeps the Space one is in at hand; leaving there ends it.
    """
    host = await page_for("sven", SPEECH)
    path = await browser.start_space(host, "Background radio")
    guest = await page_for("tara", on_feed=False)
    await browser.listen(guest, path)

    await guest.get_by_test_id("minimize").click()
    dock = guest.get_by_test_id("dock")
    await expect(dock).to_contain_text("Listening")
    card = guest.get_by_test_id("space-card").filter(has_text="Background radio")
    await expect(card).to_contain_text("Joined")
    await dock.click()
    await expect(guest.get_by_test_id("room")).to_have_attribute(
        "data-connection", "live"
    )
    await guest.get_by_test_id("minimize").click()
    await guest.get_by_test_id("dock-leave").click()

    await expect(dock).to_have_count(0)
    await expect(card).to_contain_text("Listen")
    await expect(guest.locator("audio")).to_have_count(0)


async def test_the_end_is_told_to_whoever_looks_around(page_for: PageFor) -> None:
    """
    As what it is: nobody was put out; and the Space is no longer among the live ones,
    whatever the server still lists.
    """
    host = await page_for("ulla")
    path = await browser.start_space(host, "Over meanwhile")
    guest = await page_for("veit", on_feed=False)
    await browser.listen(guest, path)
    await guest.get_by_test_id("minimize").click()
    card = guest.get_by_role("link", name="Over meanwhile", exact=True)
    await expect(card).to_be_visible()
    listed = await guest.evaluate("import('/api.js').then((m) => m.liveSpaces())")
    (over,) = (each for each in listed["spaces"] if each["title"] == "Over meanwhile")
    await answer_with(guest, r"/v1/spaces\?state=live", 200, listed)

    await host.get_by_test_id("end").click()
    await host.get_by_test_id("end-confirm").click()

    toast = guest.get_by_test_id("toast").last
    await expect(toast).to_contain_text("This Space has ended Over meanwhile")
    await expect(guest.get_by_test_id("dock")).to_have_count(0)
    await expect(card).to_have_count(0)
    # Beside the Space that ended, one that tells when the list has been shown again.
    listed["spaces"].append({**over, "id": "1111111111111", "title": "Still on"})
    await guest.evaluate("dispatchEvent(new Event('online'))")
    still_on = guest.get_by_role("link", name="Still on", exact=True)
    await expect(still_on).to_be_visible()
    await expect(card).to_have_count(0)

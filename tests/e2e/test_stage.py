"""A stage with several people on it."""

import contextlib
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Page, Route, expect

from tests import browser, speech
from tests.api import Api
from tests.browser import PageFor, Screenshot
from tests.clients import WhipClient
from tests.running_stack import RunningStack
from tests.whistled_space import whistled_space
from tests.worker_process import until

VOICE = speech.DATA / "austen_not_ill_disposed.wav"
QUIET_PACKETS = 15  # so many in a row: what was on the way has come
TITLE = "Late-night radio: songs we never finished writing"
SPEAKERS = ("dede", "sofia", "tomas", "li")
OTHERS = {
    "jonas": "What did you ship this week?",
    "priya": "Chess, but only endgames nobody plays",
    "tamsin": "Sourdough emergency room",
}


async def test_everybody_on_stage_is_seen(
    stack: RunningStack, page_for: PageFor, screenshot: Screenshot
) -> None:
    """
    A listener sees the host first, then the speakers, who talks, who is muted, what
    they react with, and that the host is away; the Space is in the feed among others.
    They follow, report and block from there; their own page has it.
    """
    async with contextlib.AsyncExitStack() as people:
        host = await people.enter_async_context(Api(stack.url, "maribel"))
        space_id = await host.open_space(TITLE, speaker_policy="everyone")
        grant = await _talk(people, host, space_id, muted=True)
        await _plan(host)
        for handle in SPEAKERS:
            api = await people.enter_async_context(Api(stack.url, handle))
            await _talk(people, api, space_id, muted=handle != "sofia")
        for handle, title in OTHERS.items():
            api = await people.enter_async_context(Api(stack.url, handle))
            other_id = await api.open_space(title)
            people.push_async_callback(api.call, "POST", f"/v1/spaces/{other_id}/end")
        page = await page_for("nina", on_feed=False)
        await page.goto("/")
        await expect(page.get_by_role("link", name=TITLE)).to_be_visible()
        await screenshot(page, "feed")

        await browser.listen(page, f"/s/{space_id}")

        members = page.get_by_test_id("stage-member")
        await expect(members).to_have_count(1 + len(SPEAKERS))
        await expect(members.first).to_have_attribute("data-handle", "maribel")
        sofia = page.locator("[data-testid=stage-member][data-handle=sofia]")
        await expect(sofia).to_have_attribute("data-talking", "true")
        muted = page.locator("[data-testid=stage-member][data-muted=true]")
        await expect(muted).to_have_count(len(SPEAKERS))
        await host.react(space_id, grant, "\N{FIRE}")
        floats = page.get_by_test_id("floats")
        await expect(floats).to_have_attribute("data-shown", "1")
        await page.get_by_test_id("react").click()
        for name in ("heart", "clapping", "laughing", "fire"):
            await page.get_by_role("button", name=f"React: {name}").click()
        await screenshot(page, "room-listening")
        await _follow_and_block(page, "sofia", "tomas")
        await _lose_host(page, 1_000_000, host_away=True)
        await expect(page.get_by_test_id("host-away")).to_be_visible()
        await expect(page.get_by_test_id("end")).to_be_hidden()
        await _lose_host(page, 2_000_000, acting_host_id=await _own_uid(page))
        await expect(page.get_by_test_id("end")).to_be_visible()
        await expect(page.get_by_test_id("acting-host")).to_be_visible()
        await host.call("POST", f"/v1/spaces/{space_id}/end")

    await page.goto("/me")
    await expect(page.get_by_test_id("profile-following")).to_contain_text("1")
    await expect(page.get_by_test_id("profile-blocks")).to_contain_text("1")


async def test_a_voice_is_gone_once_its_mute_or_removal_was_acknowledged(
    stack: RunningStack,
) -> None:
    """
    Listeners are sent silence.  Who is muted talks on meanwhile, and is heard again
    once unmuted; who is removed has no session any more.
    """
    async with whistled_space(stack.url) as space:
        speaker, ear = await space.whistle(), space.ear
        for change in ({"muted": True}, {"removed": True}):
            await space.change(space.host, space.whistler, change)

            await until(space.is_silenced)
            await until(lambda: ear.quiet_packets >= QUIET_PACKETS)
            heard, sent = ear.loud_packets, speaker.sent
            await until(lambda: ear.quiet_packets >= 2 * QUIET_PACKETS)
            assert ear.loud_packets == heard
            if "muted" in change:
                await until(lambda: speaker.sent > sent)  # noqa: B023 - awaited at once
                await space.change(space.whistler, space.whistler, {"muted": False})
                await space.heard_again()


async def _talk(
    people: contextlib.AsyncExitStack, api: Api, space_id: str, *, muted: bool
) -> str:
    """Talk on stage, heard by nobody where muted, and return the grant."""
    joined = await api.join(space_id, "speaker")
    client = await people.enter_async_context(WhipClient(api, speech.load(VOICE)))
    await client.connect(joined["whip_url"], joined["grant"])
    if muted:
        path = f"/v1/spaces/{space_id}/participants/{api.uid}"
        await api.call("PATCH", path, {"muted": True})
    return str(joined["grant"])


async def _plan(host: Api) -> None:
    """Schedule a Space for tomorrow, so that something is to come."""
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    title = "Sunday evening: what we read this month"
    await host.call("POST", "/v1/spaces", {"title": title, "scheduled_start": at})


async def _follow_and_block(page: Page, liked: str, disliked: str) -> None:
    """Follow and report one speaker, and block another."""
    sheet = page.get_by_test_id("member-sheet")
    await page.locator(f"[data-testid=stage-member][data-handle={liked}]").click()
    follow = sheet.get_by_test_id("follow")
    await follow.click()
    await expect(follow).to_have_attribute("aria-pressed", "true")
    await sheet.get_by_test_id("report").click()
    await page.get_by_test_id("reason-spam").click()
    await page.get_by_test_id("report-submit").click()
    await expect(page.get_by_test_id("report-sheet")).to_have_count(0)
    await sheet.get_by_role("button", name="Close").click()
    await page.locator(f"[data-testid=stage-member][data-handle={disliked}]").click()
    await sheet.get_by_test_id("block").click()
    await page.get_by_test_id("block-confirm").click()
    await expect(sheet).to_have_count(0)


async def _own_uid(page: Page) -> str:
    """Return who is signed in on this page."""
    body = '() => import("/session.js").then((m) => m.account().uid)'
    return str(await page.evaluate(body))


async def _lose_host(page: Page, newer: int, **said: Any) -> None:
    """Have room.json say what it says a minute after the host was last heard of."""

    async def without_host(route: Route) -> None:
        response = await route.fetch()
        room = {**await response.json(), **said}
        room["version"] += newer  # the newest there is
        await route.fulfill(response=response, json=room)

    await page.route("**/room.json", without_host)

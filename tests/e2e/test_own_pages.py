"""One's own pages: inbox, profile, the Spaces to come; and what an old page left."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.async_api import Page, expect

from tests.api import Api
from tests.browser import PageFor
from tests.running_stack import RunningStack

LONG_AGO_MS = 0


async def test_an_invite_is_answered_in_the_inbox(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    An invite is counted in the bar, and answered in the inbox, which then has it so.
    """
    page = await page_for("dora")
    async with Api(stack.url, "emil") as host:
        space_id = await _schedule(host, "Bring your own synth")
        await host.call(
            "POST",
            f"/v1/spaces/{space_id}/invites",
            {"user_ids": [await _uid(page)], "role": "co_host"},
        )
    await page.reload()
    await expect(page.get_by_test_id("unread")).to_have_text("1")

    await page.get_by_test_id("inbox-link").click()
    message = page.get_by_test_id("message")
    await expect(message).to_contain_text("Emil invites you to co-host")
    await message.get_by_test_id("message-accept").click()

    await expect(message).to_have_attribute("data-state", "accepted")
    await expect(page.get_by_test_id("unread")).to_be_hidden()


async def test_what_becomes_of_an_awaited_space_is_told(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Called off, a Space whose bell one rang is news in the bar and in the inbox; that
    it was rung is known on a device that never heard of it.
    """
    page = await page_for("fred", on_feed=False)
    async with Api(stack.url, "gina") as host:
        space_id = await _schedule(host, "Rain, if any")
        await page.goto(f"/s/{space_id}")
        bell = page.get_by_test_id("bell")
        await bell.click()
        await expect(bell).to_have_attribute("aria-pressed", "true")
        await page.evaluate(
            "() => Object.keys(localStorage).filter((key) => /reminders/.test(key))"
            ".forEach((key) => localStorage.removeItem(key))"
        )
        await page.reload()
        await expect(bell).to_have_attribute("aria-pressed", "true")
        await host.call("DELETE", f"/v1/spaces/{space_id}")
    await page.goto("/")
    await expect(page.get_by_test_id("unread")).to_have_text("1")

    await page.get_by_test_id("inbox-link").click()

    awaited = page.get_by_test_id("awaited")
    await expect(awaited).to_have_attribute("data-state", "cancelled")
    await expect(awaited).to_contain_text("Cancelled")


async def test_whoever_rings_the_bell_waits_at_once(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    The page does not say that nobody has, until it looks again.
    """
    page = await page_for("hugo", on_feed=False)
    async with Api(stack.url, "gina") as host:
        space_id = await _schedule(host, "Nobody else")
        await page.goto(f"/s/{space_id}")
        waiting = page.get_by_test_id("waiting")
        await expect(waiting).to_contain_text("Be the first")
        await page.route(f"**/v1/spaces/{space_id}", lambda route: route.abort())

        await page.get_by_test_id("bell").click()

        await expect(waiting).to_contain_text("1 person asked to be reminded")


async def test_others_who_ring_move_nobodys_focus(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    How many wait changes under whoever is at a button, and nothing else does.
    """
    page = await page_for("hugo", on_feed=False)
    async with Api(stack.url, "gina") as host, Api(stack.url, "ines") as other:
        space_id = await _schedule(host, "Many are coming")
        await page.goto(f"/s/{space_id}")
        await expect(page.get_by_test_id("crowd")).to_contain_text("Be the first")
        bell = page.get_by_test_id("bell")
        await bell.focus()

        await other.call("PUT", f"/v1/spaces/{space_id}/reminder")

        await expect(page.get_by_test_id("crowd")).to_contain_text("1 person")
        await expect(bell).to_be_focused()


async def test_a_profile_is_changed(page_for: PageFor) -> None:
    """
    A new name is everywhere at once, and stays; a protected account stays protected.
    """
    page = await page_for("hugo")
    await page.get_by_test_id("account").click()

    await page.get_by_test_id("profile-display-name").fill("Hugo the Elder")
    await page.get_by_test_id("profile-protected").check()
    await page.get_by_test_id("profile-save").click()
    await expect(page.get_by_test_id("profile-name")).to_have_text("Hugo the Elder")

    await page.reload()
    await expect(page.get_by_test_id("profile-protected")).to_be_checked()
    account = page.get_by_test_id("account")
    await expect(account).to_have_accessible_name("Your account, Hugo the Elder")


async def test_a_scheduled_space_is_moved_and_called_off(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Its host renames a Space to come, and calls it off; a time gone by is refused.
    """
    page = await page_for("ines")
    await page.get_by_test_id("start-space").click()
    await page.get_by_test_id("timing-later").click()
    await page.get_by_test_id("when-date").fill("2020-01-01")
    await page.get_by_test_id("start-submit").click()
    await expect(page.get_by_role("alert").filter(has_text="too soon")).to_be_visible()
    ahead = datetime.now(UTC) + timedelta(days=40)
    await page.get_by_test_id("when-date").fill(ahead.date().isoformat())
    await page.get_by_test_id("start-submit").click()

    await page.get_by_test_id("edit").click()
    await (
        page.get_by_test_id("edit-sheet").get_by_test_id("start-title").fill("Renamed")
    )
    await page.get_by_test_id("edit-submit").click()
    waiting = page.get_by_test_id("waiting")
    await expect(waiting.get_by_role("heading")).to_have_text("Renamed")
    await expect(page.get_by_test_id("countdown")).to_contain_text("days")

    await page.get_by_test_id("cancel").click()
    await page.get_by_test_id("cancel-confirm").click()
    problem = page.get_by_test_id("problem")
    await expect(problem).to_have_attribute("data-code", "cancelled")


async def test_somebody_is_found_and_invited(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    The beginning of a handle finds somebody; one tap invites, another takes it back.
    """
    page = await page_for("jule")
    async with Api(stack.url, "korbinian") as guest:
        await page.get_by_test_id("start-space").click()
        await page.get_by_test_id("timing-later").click()
        await page.get_by_test_id("start-submit").click()
        await page.get_by_test_id("invite-people").click()
        await page.get_by_test_id("invite-search").fill("korb")
        invite = page.get_by_test_id("invitee").get_by_test_id("invite-person")

        await invite.click()
        await expect(invite).to_have_text("Invited")
        states = [await _invite_state(guest)]
        await invite.click()
        await expect(invite).to_have_text("Invite")
        states.append(await _invite_state(guest))

    assert states == ["pending", "revoked"]


async def test_nobody_stays_behind_whose_page_went_while_joining(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    A join that no page saw the answer of is undone at the next visit.
    """
    page = await page_for("lars")
    left = {"id": "1111111111111", "uid": await _uid(page), "atMs": LONG_AGO_MS}
    await page.evaluate(
        "(noted) => localStorage.setItem('parley.joining', noted)", json.dumps(left)
    )

    async with page.expect_request("**/v1/spaces/1111111111111/leave"):
        await page.reload()

    assert await page.evaluate("localStorage.getItem('parley.joining')") is None


async def _schedule(host: Api, title: str) -> str:
    """Make a Space for tomorrow."""
    at = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    draft = {"title": title, "scheduled_start": at}
    space: dict[str, Any] = await host.call("POST", "/v1/spaces", draft)
    return str(space["id"])


async def _uid(page: Page) -> str:
    """Return who is signed in."""
    return str(
        await page.evaluate("JSON.parse(localStorage.getItem('parley.session')).uid")
    )


async def _invite_state(guest: Api) -> str:
    """Return what became of the latest invite."""
    inbox = await guest.call("GET", "/v1/me/inbox")
    return str(inbox["messages"][0]["state"])

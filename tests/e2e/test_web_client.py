"""The web client: what people do in it, and what it tells them."""

import asyncio

from playwright.async_api import Locator, Page, expect

from tests import browser, speech
from tests.api import Api
from tests.browser import PageFor, Screenshot
from tests.running_stack import RunningStack

SPEECH = speech.DATA / "austen_cold_hearted.wav"
ABSENT = "/s/1111111111111"
DENY_MICROPHONE = """
navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("denied", "NotAllowedError"));
"""
# Keeps what a screen reader is told, which leaves the page after some seconds.
KEEP_SAID = """
() => {
  window.said = [];
  const note = (changes) => changes.forEach(({ addedNodes }) =>
    addedNodes.forEach((line) => window.said.push(line.textContent)));
  new MutationObserver(note).observe(
    document.querySelector("#announcer"), { childList: true });
}
"""


def member(page: Page, handle: str) -> Locator:
    """Return somebody's tile on stage."""
    return page.locator(f"[data-testid=stage-member][data-handle={handle}]")


def person_of(page: Page, handle: str) -> Locator:
    """Return somebody's row in the list of people."""
    return page.locator(f"[data-testid=person][data-handle={handle}]")


async def open_person(page: Page, handle: str) -> None:
    """Open what a host may do about somebody."""
    await page.get_by_test_id("people").click()
    await person_of(page, handle).get_by_test_id("person-actions").click()


async def close_sheets(page: Page) -> None:
    """Close every dialog, as Escape does."""
    while await page.locator("dialog[open]").count():
        await page.keyboard.press("Escape")


async def _sign_out(page: Page) -> None:
    await page.get_by_test_id("account").click()
    await page.get_by_test_id("sign-out").click()


async def test_a_handle_is_enough_to_come_back(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Somebody new chooses a name once; later the handle alone signs them in.
    """
    page = await page_for("hana")
    await _sign_out(page)
    await browser.sign_in(page, "somebody_new")
    await _sign_out(page)

    await page.get_by_test_id("sign-in-open").click()
    await page.get_by_test_id("sign-in-handle").fill("hana")
    await page.keyboard.press("Enter")

    await expect(page.get_by_test_id("account")).to_have_accessible_name(
        "Your account, Hana"
    )


async def test_a_wrong_link_is_explained(
    page_for: PageFor, screenshot: Screenshot
) -> None:
    """
    A link to no Space leads to a page that says so and back to the feed.
    """
    page = await page_for("mia", on_feed=False)

    await page.goto(ABSENT)

    problem = page.get_by_test_id("problem")
    await expect(problem).to_have_attribute("data-code", "space-not-found")
    await screenshot(page, "error")
    await page.get_by_test_id("problem-act").click()
    await expect(page.get_by_test_id("feed")).to_be_visible()


async def test_a_page_that_nobody_signed_in_for_says_so(page: Page) -> None:
    """
    A link to a recording leads a stranger to a page with a way on, and to no blank.
    """
    await page.goto("/s/1abcDEFghiJKL/recording")
    await expect(page.get_by_test_id("sign-in")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("sign-in")).to_have_count(0)
    await page.get_by_test_id("problem-act").click()

    await expect(page.get_by_test_id("sign-in")).to_be_visible()


async def test_without_a_microphone_one_still_hosts_and_hears(
    page_for: PageFor,
) -> None:
    """
    A denied microphone is explained, and the Space goes on without it.
    """
    page = await page_for("noa", on_feed=False)
    await page.add_init_script(DENY_MICROPHONE)
    await page.goto("/")

    toast = page.locator("[data-testid=toast][data-code=mic-denied]").first
    await asyncio.gather(  # it goes by itself, on a busy machine before media flows
        browser.start_space(page, "No mic today"),
        expect(toast).to_contain_text("You can still listen"),
    )

    await expect(page.get_by_test_id("room")).to_have_attribute("data-muted", "true")


async def test_a_host_runs_the_stage(page_for: PageFor) -> None:
    """
    Invited, a listener is asked and talks; muted, they see it; moved back, they
    listen; removed, they are told and are out; let back, they may come again.
    """
    host = await page_for("olga", SPEECH)
    path = await browser.start_space(host, "On invitation", policy="invited")
    guest = await page_for("pepe", on_feed=False)
    await browser.listen(guest, path)
    room = guest.get_by_test_id("room")
    await guest.evaluate(KEEP_SAID)

    await open_person(host, "pepe")
    await host.get_by_test_id("invite").click()
    asked = guest.get_by_test_id("confirm")
    await expect(asked).to_contain_text("A host invited you to speak")
    await guest.get_by_test_id("promotion-accept").click()
    await expect(room).to_have_attribute("data-role", "speaker")
    await expect(member(host, "pepe")).to_have_attribute("data-muted", "false")

    await close_sheets(host)
    await member(host, "pepe").click()
    await host.get_by_test_id("mute-other").click()
    await expect(room).to_have_attribute("data-muted", "true")

    await member(host, "pepe").click()
    await host.get_by_test_id("demote").click()
    await expect(room).to_have_attribute("data-role", "listener")
    await expect(room).to_have_attribute("data-connection", "live")
    said = await guest.evaluate("said.filter((line) => /^You are (on|in)/.test(line))")
    assert said == ["You are on stage.", "You are in the audience."]

    await open_person(host, "pepe")
    await host.get_by_test_id("remove").click()
    await expect(guest.get_by_test_id("problem")).to_have_attribute(
        "data-code", "removed"
    )

    await person_of(host, "pepe").get_by_test_id("person-actions").click()
    await host.get_by_test_id("let-back").click()
    await expect(host.get_by_test_id("member-sheet")).to_have_count(0)
    await browser.listen(guest, path)


async def test_an_anonymous_listener_is_counted_not_named(page_for: PageFor) -> None:
    """
    Who listens anonymously adds to the count and is not among the people.
    """
    host = await page_for("quin", SPEECH)
    path = await browser.start_space(host, "Who is there?")
    guest = await page_for("rosa", on_feed=False)
    await guest.goto(path)

    await guest.get_by_test_id("join-anonymous").click()

    await browser.expect_live(guest)
    count = host.get_by_test_id("listener-count")
    await expect(count).to_have_attribute("data-count", "1")
    await host.get_by_test_id("people").click()
    await expect(host.get_by_test_id("person")).to_have_count(1)


async def test_a_door_says_that_one_signs_in_first(
    stack: RunningStack, page: Page
) -> None:
    """
    Whoever comes by a link, to listen anonymously as well.
    """
    async with Api(stack.url, "olaf") as host:
        space_id = await host.open_space("Who comes in?")
    await page.goto(f"{stack.url}/s/{space_id}")

    for way in ("join-listen", "join-anonymous"):
        await expect(page.get_by_test_id(way)).to_contain_text("Sign in")


async def test_the_newest_tab_has_the_space(page_for: PageFor) -> None:
    """
    Joined in a second tab, the first one lets go and says so, and does not fight.
    """
    first = await page_for("zoe", SPEECH)
    path = await browser.start_space(first, "In two places")
    second = await first.context.new_page()
    await second.goto(path)

    await second.get_by_test_id("join-host").click()

    await browser.expect_live(second)
    await expect(first.get_by_test_id("problem")).to_have_attribute(
        "data-code", "replaced"
    )


async def test_localhost_is_as_good_as_its_number(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    Opened as "localhost" the page reaches media and room.json, although `join` names
    127.0.0.1 and the content security policy allows the page's own origin alone.
    """
    page = await page_for("abe", SPEECH, on_feed=False)
    await page.goto(f"http://localhost:{stack.port}/")
    await page.get_by_test_id("sign-in-open").click()
    await page.get_by_test_id("sign-in-handle").fill("abe")
    await page.get_by_test_id("sign-in-submit").click()
    await expect(page.get_by_test_id("account")).to_be_visible()

    await browser.start_space(page, "By name")

    await expect(member(page, "abe")).to_be_visible()

"""The web client: what people do in it, and what it tells them."""

import asyncio
import json
import re
from typing import Any

from playwright.async_api import Locator, Page, Route, expect

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
NAMELESS_BUTTONS = """
() => [...document.querySelectorAll("button, a, input, select, textarea")]
  .filter((e) => e.checkVisibility() && !e.labels?.length
    && !(e.ariaLabel || e.textContent.trim()))
  .map((e) => e.outerHTML)
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
# WCAG 2.2, 2.4.11: what has the focus, or the label around it, is seen to its end.
UNCOVERED = """
() => {
  const focused = document.activeElement.closest("label");
  const { left, width, bottom } = focused.getBoundingClientRect();
  return focused.contains(document.elementFromPoint(left + width / 2, bottom - 4));
}
"""
# WCAG 2.2, 1.4.3: contrast of text and ground, as the browser itself paints them.
CONTRASTS = """
(pairs) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const luminance = (name) => {
    canvas.fillStyle = style.getPropertyValue(name);
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return pairs.map((pair) => {
    const [dark, light] = pair.map(luminance).sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  });
}
"""


def member(page: Page, handle: str) -> Locator:
    """Return somebody's tile on stage."""
    return page.locator(f"[data-testid=stage-member][data-handle={handle}]")


async def answer_with(page: Page, path: str, status: int, body: dict[str, Any]) -> None:
    """Let requests to `path` be answered so, instead of by the stack."""

    async def answer(route: Route) -> None:
        await route.fulfill(
            status=status, body=json.dumps(body), content_type="application/json"
        )

    await page.route(re.compile(path), answer)


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
    page = await page_for("kai")
    await answer_with(
        page, "/v1/spaces\\?", 200, {"spaces": [], "next_page_token": None}
    )

    await page.goto("/")

    await expect(page.get_by_test_id("feed-empty")).to_contain_text("quiet")


async def test_a_feed_that_fails_can_be_tried_again(page_for: PageFor) -> None:
    """
    A server that is down is told in words, and trying again brings the feed.
    """
    page = await page_for("lea")
    problem = {"type": "https://parley.dev/problems/dependency-unavailable"}
    await answer_with(page, "/v1/spaces\\?", 503, problem)
    await page.goto("/")
    await expect(page.get_by_test_id("problem")).to_have_attribute(
        "data-code", "dependency-unavailable"
    )

    await page.unroute_all()
    await page.get_by_test_id("problem-act").click()

    await expect(page.get_by_test_id("problem")).to_have_count(0)


async def test_a_wrong_link_is_explained(
    page_for: PageFor, screenshot: Screenshot
) -> None:
    """
    A link to no Space leads to a page that says so and back to the feed.
    """
    page = await page_for("mia")

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
    page = await page_for("noa")
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
    guest = await page_for("pepe")
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
    guest = await page_for("rosa")
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


async def test_one_may_look_around_while_listening(page_for: PageFor) -> None:
    """
    The feed keeps the Space one is in at hand; leaving there ends it.
    """
    host = await page_for("sven", SPEECH)
    path = await browser.start_space(host, "Background radio")
    guest = await page_for("tara")
    await browser.listen(guest, path)

    await guest.get_by_test_id("minimize").click()
    dock = guest.get_by_test_id("dock")
    await expect(dock).to_contain_text("Listening")
    await dock.click()
    await expect(guest.get_by_test_id("room")).to_have_attribute(
        "data-connection", "live"
    )
    await guest.get_by_test_id("minimize").click()
    await guest.get_by_test_id("dock-leave").click()

    await expect(dock).to_have_count(0)
    await expect(guest.locator("audio")).to_have_count(0)


async def test_the_end_is_told_to_whoever_looks_around(page_for: PageFor) -> None:
    """
    As what it is: nobody was put out; and the Space is no longer among the live ones,
    whatever the server still lists.
    """
    host = await page_for("ulla")
    path = await browser.start_space(host, "Over meanwhile")
    guest = await page_for("veit")
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
    page = await page_for("abe", SPEECH)
    await page.goto(f"http://localhost:{stack.port}/")
    await page.get_by_test_id("sign-in-open").click()
    await page.get_by_test_id("sign-in-handle").fill("abe")
    await page.get_by_test_id("sign-in-submit").click()
    await expect(page.get_by_test_id("account")).to_be_visible()

    await browser.start_space(page, "By name")

    await expect(member(page, "abe")).to_be_visible()


async def test_the_keyboard_does_it_all(page_for: PageFor) -> None:
    """
    Sheets take the focus and give it back, and cover nothing that has it; the skip link
    comes first, a new view's heading has the focus, and the microphone is a button that
    says if it is pressed.
    """
    page = await page_for("ugo", SPEECH)
    await page.goto("/")
    await page.keyboard.press("Tab")
    await expect(page.locator(".skip-link")).to_be_focused()

    await page.get_by_test_id("start-space").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("start-title")).to_be_focused()
    width, height = browser.PHONE
    await page.set_viewport_size({"width": width, "height": height // 2})
    await page.keyboard.press("Tab")
    await page.wait_for_function(UNCOVERED)  # once the sheet has come up
    await page.set_viewport_size({"width": width, "height": height})
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("start-space")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.type("By keyboard alone")
    await page.keyboard.press("Enter")
    await browser.expect_live(page)
    await expect(page.get_by_role("heading", level=1)).to_be_focused()

    mic = page.get_by_test_id("mic")
    await mic.focus()
    await page.keyboard.press("Space")
    await expect(mic).to_have_attribute("data-on", "true")
    await expect(page.locator("#announcer")).to_contain_text("Your microphone is on.")


async def test_everything_has_a_name(page_for: PageFor) -> None:
    """
    No control of a page, a sheet or the room is nameless to a screen reader.
    """
    page = await page_for("vera", SPEECH)
    nameless = []
    for path, shown in (("/inbox", "inbox-empty"), ("/me", "profile-save")):
        await page.goto(path)
        await expect(page.get_by_test_id(shown)).to_be_visible()
        nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.goto("/")
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.get_by_test_id("start-space").click()
    await page.get_by_test_id("timing-later").click()
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.keyboard.press("Escape")
    await browser.start_space(page, "Names")
    await page.get_by_test_id("react").click()
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.get_by_test_id("more").click()
    nameless += await page.evaluate(NAMELESS_BUTTONS)
    await page.keyboard.press("Escape")
    await page.get_by_test_id("people").click()
    await expect(page.get_by_test_id("person")).to_have_count(1)
    nameless += await page.evaluate(NAMELESS_BUTTONS)

    assert nameless == []


async def test_text_stands_out(page_for: PageFor) -> None:
    """
    Text has a contrast of at least 4.5 to what it stands on, dark and light (WCAG AA).
    """
    page = await page_for("wim")
    pairs = [
        *(("--ink", f"--{ground}") for ground in ("bg", "surface", "surface-2")),
        *(("--ink-2", f"--{ground}") for ground in ("bg", "surface", "surface-2")),
        ("--on-accent", "--accent"),
        ("--on-accent", "--accent-hover"),
        ("--accent", "--accent-soft"),
        ("--ink-2", "--accent-soft"),
        ("--accent", "--surface"),
        ("--danger", "--danger-soft"),
        ("--danger", "--surface"),
    ]

    await page.emulate_media(color_scheme="dark")
    dark = await page.evaluate(CONTRASTS, pairs)
    await page.emulate_media(color_scheme="light")
    light = await page.evaluate(CONTRASTS, pairs)

    too_low = {
        (scheme, pair): round(ratio, 2)
        for scheme, ratios in (("dark", dark), ("light", light))
        for pair, ratio in zip(pairs, ratios, strict=True)
        if ratio < 4.5
    }
    assert too_low == {}

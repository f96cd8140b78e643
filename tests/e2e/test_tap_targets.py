"""At a phone's size everything that is tapped is large enough for a finger."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import Page, expect

from tests import browser
from tests.api import Api
from tests.browser import PageFor
from tests.running_stack import RunningStack

LONG_TITLE = "A very long title about tea and bridges and all between, with you too"

# What can be tapped and is seen, smaller than 44 px either way; of a field with a label
# around it, the label.  A card's link reaches over all of the card.
TOO_SMALL = """() => {
  const wanted = "button, a[href], input, select, textarea, summary";
  const sizeOf = (each) => {
    const box = each.closest("label") ?? each;
    const { width, height } = box.getBoundingClientRect();
    return { name: each.getAttribute("aria-label") ?? each.outerHTML, width, height };
  };
  return [...document.querySelectorAll(wanted)]
    .filter((each) => each.checkVisibility())
    .filter((each) => !each.closest(".skip-link, .visually-hidden, .card__link, p"))
    .map(sizeOf)
    .filter(({ width, height }) => width > 1 && Math.min(width, height) < 44)
    .map(({ name, width, height }) => `${name}: ${width} x ${height}`);
}"""

# What is seen of the page's own content and reaches beyond its right edge; suggested
# times are scrolled through.
CUT_OFF = """() => [...document.querySelectorAll("main *, dialog *")]
  .filter((each) => each.checkVisibility())
  .filter((each) => !each.closest(".visually-hidden, .when__chips"))
  .filter((each) => each.getBoundingClientRect().right > innerWidth)
  .map((each) => each.outerHTML.slice(0, 100))"""

# Words of buttons that stand on two lines.
BROKEN = """() => [...document.querySelectorAll("button span")]
  .filter((each) => each.checkVisibility() && each.firstChild?.nodeType === 3)
  .filter((each) => !each.closest(".tile, .when__chips"))
  .filter(({ firstChild: text }) => [...text.data.matchAll(/\\S+/g)].some((word) => {
    const range = new Range();
    range.setStart(text, word.index);
    range.setEnd(text, word.index + word[0].length);
    return new Set([...range.getClientRects()].map(({ top }) => top)).size > 1;
  }))
  .map(({ textContent }) => textContent)"""


async def too_small(page: Page) -> list[str]:
    """Return what is too small on the page as it is."""
    found: list[str] = await page.evaluate(TOO_SMALL)
    return found


async def lost_at_twice_the_size(page: Page) -> list[str]:
    """Return what of the page as it is cannot be read once its text is doubled."""
    await page.evaluate("document.documentElement.style.fontSize = '200%'")
    found: list[str] = [*await page.evaluate(CUT_OFF), *await page.evaluate(BROKEN)]
    await page.evaluate("document.documentElement.style.fontSize = ''")
    return found


async def test_everything_is_large_enough_for_finger_and_eye(
    page_for: PageFor,
) -> None:
    """
    44 px each way on the feed, in the sheets, on one's own page, and in a room that is
    being recorded; and with text of twice the size all of it is there (WCAG 1.4.4).
    """
    page = await page_for("thea", on_feed=False)
    await page.goto("/?raw_audio=1")
    assert await too_small(page) == []
    await page.goto("/me")
    await expect(page.get_by_test_id("profile-name")).to_be_visible()
    assert await too_small(page) + await lost_at_twice_the_size(page) == []

    await page.goto("/?raw_audio=1")
    await page.get_by_test_id("start-space").click()
    assert await too_small(page) + await lost_at_twice_the_size(page) == []
    await page.get_by_test_id("timing-later").click()
    assert await lost_at_twice_the_size(page) == []
    await page.get_by_test_id("timing-now").click()
    await page.get_by_test_id("policy-everyone").click()
    await page.get_by_test_id("start-submit").click()
    await browser.expect_live(page)
    await page.get_by_test_id("react").click()
    assert await too_small(page) + await lost_at_twice_the_size(page) == []
    await page.get_by_test_id("record").click()
    await expect(page.get_by_test_id("consent")).to_be_visible()
    assert await too_small(page) + await lost_at_twice_the_size(page) == []


async def test_text_of_twice_the_size_is_all_there(
    stack: RunningStack, page_for: PageFor
) -> None:
    """
    WCAG 1.4.4: nothing reaches beyond a phone's edge, before a Space or at its door.
    """
    page = await page_for("thea", on_feed=False)
    starts_at = (datetime.now(UTC) + timedelta(hours=3)).isoformat()
    async with Api(stack.url, "theo") as host:
        live = await host.open_space(LONG_TITLE)
        scheduled = await host.call(
            "POST", "/v1/spaces", {"title": LONG_TITLE, "scheduled_start": starts_at}
        )
    for space_id, shown in ((live, "door"), (scheduled["id"], "waiting")):
        await page.goto(f"/s/{space_id}")
        await expect(page.get_by_test_id(shown)).to_be_visible()
        assert await lost_at_twice_the_size(page) == []


async def test_a_long_title_is_seen_while_it_is_written(page_for: PageFor) -> None:
    """
    The field grows with it: no line is cut off.
    """
    page = await page_for("thea", on_feed=False)
    await page.goto("/")
    await page.get_by_test_id("start-space").click()
    title = page.get_by_test_id("start-title")

    await title.fill(LONG_TITLE)

    assert await title.evaluate("(each) => each.scrollHeight <= each.clientHeight")


async def test_developers_find_every_view_on_a_phone(page: Page) -> None:
    """
    The page of the embedded cloud has all of its menu at a phone's width.
    """
    width, height = browser.PHONE
    await page.set_viewport_size({"width": width, "height": height})
    await page.goto("/local/")
    menu = page.get_by_role("navigation", name="Views")

    assert await menu.evaluate("(each) => each.scrollWidth <= each.clientWidth")

"""The page comes up whatever became of the network while it was loaded."""

from playwright.async_api import Page, Route, expect

# What is shown so many milliseconds after the page was parsed.
AFTER = """(ms) => {
  const waiting = document.querySelector(".unloaded");
  waiting.style.animationName = "none"; // begun anew: it may have ended by now
  waiting.getAnimations();
  waiting.style.animationName = "";
  const [appearing] = waiting.getAnimations();
  appearing.pause();
  appearing.currentTime = ms;
}"""


async def test_a_file_that_was_lost_is_fetched_anew(page: Page) -> None:
    """
    A phone that changes from Wi-Fi to mobile loses what is on its way: the page loads
    itself again, and comes up.
    """
    lost: list[str] = []

    async def lose_once(route: Route) -> None:
        if lost:
            return await route.fallback()
        lost.append(route.request.url)
        await route.abort("connectionreset")

    await page.route("**/views/feed.js", lose_once)

    await page.goto("/")

    await expect(page.get_by_test_id("start-space")).to_be_visible()
    assert len(lost) == 1


async def test_a_page_that_cannot_be_loaded_says_so(page: Page) -> None:
    """
    After some tries it gives up, instead of staying empty.
    """
    tries: list[str] = []

    async def lose(route: Route) -> None:
        tries.append(route.request.url)
        await route.abort("connectionreset")

    await page.route("**/views/feed.js", lose)
    await page.clock.install()

    await page.goto("/")
    for n in range(1, 4):
        await _until(page, tries, n)
        async with page.expect_navigation():
            await page.clock.run_for(n * 1000)

    await expect(page.locator("#main")).to_contain_text("could not be loaded")
    assert len(tries) == 4


async def test_a_page_that_lost_all_its_scripts_says_so(page: Page) -> None:
    """
    Not before it has had its time, and to nobody whose page comes up.
    """

    async def lose(route: Route) -> None:
        await route.abort("connectionreset")

    await page.route("**/*.js", lose)
    await page.goto("/")
    again = page.get_by_role("link", name="Load again")
    await page.evaluate(AFTER, 9_900)
    await expect(again).to_be_hidden()
    await page.evaluate(AFTER, 10_100)
    await expect(again).to_be_visible()

    await page.unroute("**/*.js", lose)
    await again.click()

    await expect(page.get_by_test_id("start-space")).to_be_visible()
    await expect(again).to_have_count(0)


async def _until(page: Page, tries: list[str], count: int) -> None:
    await page.wait_for_function(
        "(count) => Number(sessionStorage.getItem('parley.boots')) === count",
        arg=count,
    )
    assert len(tries) == count


async def test_a_script_of_others_is_no_reason_to_load_anew(page: Page) -> None:
    """
    Google's SDK asks for reCAPTCHA's, and whatever blocks ads may block that.
    """
    await page.goto("/")
    await expect(page.get_by_test_id("start-space")).to_be_visible()

    counted = await page.evaluate(
        """() => new Promise((done) => {
          const script = document.createElement("script");
          script.src = "https://recaptcha.example/blocked.js";
          script.onerror = () => done(sessionStorage.getItem("parley.boots"));
          document.head.append(script);
        })"""
    )

    assert counted is None

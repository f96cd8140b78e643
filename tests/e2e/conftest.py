"""The whole stack, and people in Chromium on it."""

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    async_playwright,
    expect,
)

from tests import browser
from tests.api import Api, ApiError
from tests.browser import PageFor, Screenshot
from tests.running_stack import RunningStack, running_stack

E2E = Path(__file__).parent
SCREENSHOTS = E2E.parents[1] / "infra" / "hosting" / "screenshots"

# Real time for pages that others' tests leave little of: a minute when idle, at most.
TEST_TIMEOUT_S = 400
# A page that has no script: one that comes up costs a second of work.
STILL = "/404.html"
# What the sign-in sheet does; its own tests go through it.
SIGN_IN = """
async ([handle, name]) => {
  const { createProfile, signIn } = await import("/session.js");
  const { account, profile } = await signIn(handle);
  if (!profile) await createProfile(account, name);
}
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests on one loop: browsers live as long as all of them do."""
    on_one_loop = pytest.mark.asyncio(loop_scope="session")
    at_length = pytest.mark.timeout(TEST_TIMEOUT_S)
    for item in items:
        if item.path.parent == E2E and pytest_asyncio.is_async_test(item):
            item.add_marker(on_one_loop, append=False)
            item.add_marker(at_length, append=False)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Everything on loopback; stopped as Ctrl-C does."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers(chromium: str) -> AsyncIterator[browser.Browsers]:
    """Chromium processes, one for each voice, kept for all tests."""
    async with async_playwright() as playwright:
        kept = browser.Browsers(playwright, chromium)
        yield kept
        await kept.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def page(stack: RunningStack, browsers: browser.Browsers) -> AsyncIterator[Page]:
    """A page of the client's own origin, with nobody signed in and nothing running."""
    chrome = await browsers.get(None)
    page = await chrome.new_page(base_url=stack.url)
    page.set_default_timeout(browser.LIVE_TIMEOUT_MS)
    await page.goto(STILL)
    yield page
    await page.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page_for(
    stack: RunningStack, browsers: browser.Browsers
) -> AsyncIterator[PageFor]:
    """Opens pages, and fails the test that leaves errors in one."""
    errors: list[str] = []
    contexts: list[BrowserContext] = []

    async def open_page(
        handle: str, microphone: Path | None = None, *, on_feed: bool = True
    ) -> Page:
        chrome = await browsers.get(microphone)
        width, height = browser.PHONE
        context = await chrome.new_context(
            base_url=stack.url,
            viewport={"width": width, "height": height},
            color_scheme="dark",
            permissions=["microphone"],
        )
        context.set_default_timeout(browser.LIVE_TIMEOUT_MS)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: errors.append(f"{handle}: {error}"))
        page.on("console", lambda message: _note_refusal(message, errors))
        await _sign_in(page, handle)
        if on_feed:
            await _load_feed(page)
        return page

    yield open_page
    for context in contexts:
        await context.close()
    await _end_spaces(stack.url)
    assert errors == []


@pytest.fixture
def screenshot() -> Screenshot:
    """Saves pictures for the README, where PARLEY_SCREENSHOTS=1 asks for them."""

    async def save(page: Page, name: str) -> None:
        if os.environ.get("PARLEY_SCREENSHOTS") == "1":
            await page.wait_for_timeout(800)  # animations end
            await page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return save


async def _end_spaces(url: str) -> None:
    """End what is live: a worker that nobody needs takes time of all others."""
    async with Api(url, "janitor") as anybody:
        live = (await anybody.call("GET", "/v1/spaces?state=live"))["spaces"]
    for space in live:
        async with Api(url, space["host"]["handle"]) as host:
            with contextlib.suppress(ApiError):  # it has ended meanwhile
                await host.call("POST", f"/v1/spaces/{space['id']}/end")


async def _sign_in(page: Page, handle: str) -> None:
    """Sign in where nothing runs yet; once more where a request was lost."""
    lost: list[str] = []
    page.once("requestfailed", lambda request: lost.append(request.url))
    await page.goto(STILL)
    try:
        await page.evaluate(SIGN_IN, [handle, handle.title()])
    except Error:
        if not lost:
            raise
        await page.goto(STILL)
        await page.evaluate(SIGN_IN, [handle, handle.title()])


async def _load_feed(page: Page) -> None:
    """
    Load the whole page.

    It loads itself anew where a file was lost to a change of the network; but for the
    file that does that.
    """
    lost: list[str] = []
    page.on("requestfailed", lambda request: lost.append(request.url))
    await page.goto("/?raw_audio=1")
    while any(url.endswith("/boot.js") for url in lost):
        lost.clear()
        await page.reload()
    await expect(page.get_by_test_id("start-space")).to_be_visible()


def _note_refusal(message: ConsoleMessage, errors: list[str]) -> None:
    """Keep what the content security policy refused; other messages are no errors."""
    if message.type == "error" and "Content Security Policy" in message.text:
        errors.append(message.text)

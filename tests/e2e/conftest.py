"""The whole stack, and people in Chromium on it."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests import browser
from tests.browser import PageFor, Screenshot
from tests.running_stack import RunningStack, running_stack

SCREENSHOTS = Path(__file__).parents[2] / "infra" / "hosting" / "screenshots"


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Everything on loopback; stopped as Ctrl-C does."""
    with running_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium; without it the test is skipped, in CI it fails."""
    found = browser.find_chromium()
    if found is None:
        reason = "needs Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
async def page_for(stack: RunningStack, chromium: str) -> AsyncIterator[PageFor]:
    """Opens pages, and fails the test that leaves errors in one."""
    errors: list[str] = []
    browsers: dict[Path | None, Browser] = {}
    async with async_playwright() as playwright:

        async def open_page(handle: str, microphone: Path | None = None) -> Page:
            if microphone not in browsers:
                browsers[microphone] = await browser.launch(
                    playwright, chromium, microphone
                )
            width, height = browser.PHONE
            context = await browsers[microphone].new_context(
                base_url=stack.url,
                viewport={"width": width, "height": height},
                color_scheme="dark",
                permissions=["microphone"],
            )
            page = await context.new_page()
            page.on("pageerror", lambda error: errors.append(f"{handle}: {error}"))
            page.on("console", lambda message: _note_refusal(message, errors))
            await browser.sign_in(page, handle)
            return page

        yield open_page
        for running in browsers.values():
            await running.close()
    assert errors == []


@pytest.fixture
def screenshot() -> Screenshot:
    """Saves pictures for the README, where PARLEY_SCREENSHOTS=1 asks for them."""

    async def save(page: Page, name: str) -> None:
        if os.environ.get("PARLEY_SCREENSHOTS") == "1":
            await page.wait_for_timeout(800)  # animations end
            await page.screenshot(path=SCREENSHOTS / f"{name}.png")

    return save


def _note_refusal(message: ConsoleMessage, errors: list[str]) -> None:
    """Keep what the content security policy refused; other messages are no errors."""
    if message.type == "error" and "Content Security Policy" in message.text:
        errors.append(message.text)

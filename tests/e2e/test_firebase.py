"""The web client with Firebase: Google's SDK against doubles of Google's endpoints."""

import contextlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

from tests import browser
from tests.browser import PageFor
from tests.google_doubles import GoogleDoubles
from tests.programs import missing
from tests.running_stack import RunningStack
from tests.web_libraries import built
from tests.worker_process import until

EMAIL = "ana@example.com"
LINK = "/?apiKey=AIzaTest&mode=signIn&oobCode=code-1&lang=en"
EXPIRE = "() => import('/session.js').then((m) => m.expireToken())"
RENEWAL = "https://securetoken.googleapis.com/**"
SCHEDULE = """async (start) => {
  const { createSpace } = await import("/api.js");
  const draft = { title: "Soon", speaker_policy: "everyone", scheduled_start: start };
  return (await createSpace(draft, crypto.randomUUID())).id;
}"""
SHOWN = """async () => {
  const registration = await navigator.serviceWorker.ready;
  for (let i = 0; i < 800; i += 1) {
    const shown = await registration.getNotifications();
    if (shown.length) return shown.map((n) => [n.title, n.body, n.tag, n.data]);
    await new Promise((done) => setTimeout(done, 50));
  }
}"""


@pytest.fixture(scope="session")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Firebase's SDK, as the build brings it in."""
    folder = built(tmp_path_factory.mktemp("firebase"), "firebase")
    if folder is None:
        missing("needs npm: apt-get install npm")
    return folder


@pytest_asyncio.fixture(loop_scope="session")
async def context(
    stack: RunningStack, browsers: browser.Browsers
) -> AsyncIterator[BrowserContext]:
    """A phone's browser that has never been here."""
    chrome = await browsers.get(None)
    width, height = browser.PHONE
    opened = await chrome.new_context(
        base_url=stack.url,
        viewport={"width": width, "height": height},
    )
    yield opened
    await opened.close()


def sent(requests: list[Request], path: str) -> list[Request]:
    """Return the requests for a path of ours."""
    return [each for each in requests if urlsplit(each.url).path == path]


async def sign_in(page: Page, handle: str) -> None:
    """Come by the link, as somebody new."""
    await page.goto("/")
    await page.get_by_test_id("sign-in-open").click()
    await page.get_by_test_id("sign-in-email").fill(EMAIL)
    await page.get_by_test_id("sign-in-submit").click()
    await expect(page.get_by_test_id("sign-in-sent")).to_be_visible()
    await page.goto(LINK)
    await page.get_by_test_id("sign-in-handle").fill(handle)
    await page.get_by_test_id("sign-in-submit").click()
    await page.get_by_test_id("sign-in-name").fill("Fia")
    await page.get_by_test_id("sign-in-submit").click()
    await expect(page.get_by_test_id("account")).to_be_visible()


async def test_a_link_in_an_email_signs_one_in(
    stack: RunningStack, context: BrowserContext, vendor: Path
) -> None:
    """
    Without a password, under the policy of the operations guide and nothing wider;
    each call carries an App Check token; a token that ran out is renewed by Firebase.
    """
    google = GoogleDoubles(stack, "fia")
    await google.serve(context, vendor)
    page = await context.new_page()
    refused = _refused(page)
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))

    await sign_in(page, "fia")

    (asked,) = google.bodies("accounts:sendOobCode")
    assert (asked["email"], asked["requestType"]) == (EMAIL, "EMAIL_SIGNIN")
    assert asked["continueUrl"] == f"{stack.url}/"
    assert page.url == f"{stack.url}/"  # the link's code is in no history
    proofs = {
        (await each.all_headers()).get("x-firebase-appcheck")
        for each in sent(requests, "/v1/me")
    }
    assert proofs == {"app-check"}

    await _come_back_expired(page)
    await expect(page.get_by_test_id("profile-name")).to_have_text("Fia")
    assert refused == []


async def _come_back_expired(page: Page) -> None:
    """
    Open a page with a token that has run out, until Firebase is asked for another.

    A call that was on its way may have stored a good one meanwhile: then once more.
    Whoever was signed out instead is never asked for.
    """
    for _ in range(3):
        with contextlib.suppress(PlaywrightTimeout):
            async with page.expect_request(RENEWAL, timeout=15_000):
                await page.evaluate(EXPIRE)
                await page.goto("/me")
            return
    pytest.fail("nobody asked Firebase for a token")


async def test_who_comes_by_a_link_is_asked_once(
    stack: RunningStack, context: BrowserContext, vendor: Path
) -> None:
    """
    Also where the page itself asks who it is; whoever closes that may sign in anew.
    """
    await GoogleDoubles(stack, "fia").serve(context, vendor)
    page = await context.new_page()
    await page.goto(f"/recordings{LINK.removeprefix('/')}")
    asked = page.get_by_test_id("sign-in")
    await expect(asked).to_have_count(1)
    await expect(page.get_by_test_id("sign-in-submit")).to_have_text("Sign in")

    await page.keyboard.press("Escape")
    await expect(asked).to_have_count(0)
    await page.get_by_test_id("recordings-sign-in").click()

    await expect(page.get_by_test_id("sign-in-submit")).to_have_text("Send the link")
    assert page.url == f"{stack.url}/recordings"


async def test_a_bell_that_is_rung_brings_pushes(
    stack: RunningStack, context: BrowserContext, vendor: Path, page_for: PageFor
) -> None:
    """
    Only then the browser is registered, with its token of FCM; a push is shown by the
    service worker, with the Space that a tap opens.
    """
    host = await page_for("hana")
    start = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    space_id = await host.evaluate(SCHEDULE, start)
    google = GoogleDoubles(stack, "gil")
    await google.serve(context, vendor)
    page = await context.new_page()
    refused = _refused(page)
    await sign_in(page, "gil")
    assert google.bodies("/registrations") == []

    await page.goto(f"/s/{space_id}")
    await context.grant_permissions(["notifications"])
    async with page.expect_request(lambda each: "/v1/me/devices/" in each.url) as put:
        await page.get_by_test_id("bell").click()

    device: Any = (await put.value).post_data_json
    assert (device["platform"], device["token"]) == ("web", "fcm-token")
    (registered,) = google.bodies("/registrations")
    assert registered["web"]["endpoint"] == "https://push.example/1"
    link = f"{stack.url}/s/{space_id}"
    notification = {"title": "Live", "body": "Come in", "tag": "t"}
    await _push(page, {"notification": notification, "data": {"link": link}})
    assert await page.evaluate(SHOWN) == [
        ["Live", "Come in", "t", {"path": f"/s/{space_id}"}]
    ]
    assert refused == []


def _refused(page: Page) -> list[str]:
    """Return what the content security policy will have refused."""
    refused: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            refused.append(message.text)

    page.on("console", note)
    return refused


async def _push(page: Page, message: Any) -> None:
    """Deliver what FCM's push service would."""
    devtools = await page.context.new_cdp_session(page)
    found: list[str] = []

    def note(event: Any) -> None:
        found.extend(each["registrationId"] for each in event["registrations"])

    devtools.on("ServiceWorker.workerRegistrationUpdated", note)
    await devtools.send("ServiceWorker.enable")
    await page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    await until(lambda: found)
    await devtools.send(
        "ServiceWorker.deliverPushMessage",
        {
            "origin": page.url.split("/s/")[0],
            "registrationId": found[0],
            "data": json.dumps(message),
        },
    )

"""The web client with Firebase: Google's SDK against doubles of Google's endpoints."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, expect

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
    opened.set_default_timeout(browser.LIVE_TIMEOUT_MS)
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
    # The account is there since the handle; the name is stored once this has closed.
    await expect(page.get_by_test_id("sign-in")).to_have_count(0)
    await expect(page.get_by_test_id("account")).to_be_visible()


async def test_a_link_in_an_email_signs_one_in(
    stack: RunningStack, context: BrowserContext, vendor: Path
) -> None:
    """
    Without a password, under the policy of the operations guide and nothing wider;
    each call carries an App Check token; a token that ran out is renewed by Firebase,
    and nobody is signed out while it fails.
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

    google.identity_fails = True
    await page.evaluate(EXPIRE)
    await page.goto("/me")
    problem = page.get_by_test_id("problem")
    await expect(problem).to_have_attribute("data-code", "sign-in-failed")
    google.identity_fails = False
    await page.get_by_test_id("problem-act").click()
    await expect(page.get_by_test_id("profile-name")).to_have_text("Fia")
    assert "refresh_token=refresh" in google.bodies("v1/token")[-1]
    assert refused == []


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


async def test_a_link_is_not_used_up_by_a_lost_connection(
    stack: RunningStack, context: BrowserContext, vendor: Path
) -> None:
    """
    It works once: where the way to Parley fails after that, one goes on from there.
    """
    google = GoogleDoubles(stack, "lia")
    await google.serve(context, vendor)
    page = await context.new_page()
    await page.goto(LINK)
    await page.route("**/v1/me", lambda route: route.abort())
    await page.get_by_test_id("sign-in-email").fill(EMAIL)
    await page.get_by_test_id("sign-in-submit").click()
    await expect(page.locator("#email-error")).not_to_be_empty()

    await page.unroute("**/v1/me")
    await page.get_by_test_id("sign-in-submit").click()

    await expect(page.get_by_test_id("sign-in-handle")).to_be_visible()
    assert len(google.bodies("accounts:signInWithEmailLink")) == 1


async def test_a_bell_that_is_rung_brings_pushes(
    stack: RunningStack, context: BrowserContext, vendor: Path, page_for: PageFor
) -> None:
    """
    Only then the browser is registered, with its token of FCM; a push is shown by the
    service worker, with the Space that a tap opens.
    """
    host = await page_for("hana", on_feed=False)
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

"""Who is signed in, as the web client keeps it, where Google is slow or says no."""

import asyncio
import functools
import json
from typing import Any

import pytest
from playwright.async_api import Page, Route


async def run(page: Page, module: str, body: str) -> Any:
    """Return what `body` makes of the module `m`."""
    return await page.evaluate(
        f'async () => {{ const m = await import("{module}"); {body} }}'
    )


async def test_a_token_that_comes_late_signs_nobody_in_again(page: Page) -> None:
    """
    Whoever signs out while their token is being renewed stays signed out.
    """
    body = """
      const ana = { uid: "ana", handle: "ana", displayName: "Ana", expiresAtMs: 0 };
      localStorage.setItem("parley.session", JSON.stringify(ana));
      const renewing = m.idToken().catch(({ code }) => code);
      m.signOut();
      return [await renewing, m.account()];
    """

    assert await run(page, "/session.js", body) == ["sign-in-needed", None]


async def test_a_proof_that_never_comes_holds_up_no_call(page: Page) -> None:
    """
    Google's SDK waits for ever where something blocks reCAPTCHA's script: the first
    call waits for five seconds, the next one for none.
    """
    app_check = """
      export class ReCaptchaEnterpriseProvider {}
      export const initializeAppCheck = () => ({});
      export const getToken = () => {
        console.log("asked");
        return new Promise(() => {});
      };
    """
    vendor = {
        "app": "export const initializeApp = () => ({});",
        "app-check": app_check,
    }
    for part, body in vendor.items():
        fulfil = functools.partial(_script, body=body)
        await page.route(f"**/vendor/firebase-{part}.js", fulfil)
    settings = json.dumps({"firebase": {"recaptcha_site_key": "key"}})
    await page.route(
        "**/.well-known/parley-web.json", lambda route: route.fulfill(body=settings)
    )
    await page.clock.install()
    await page.reload()
    async with page.expect_console_message(lambda said: said.text == "asked"):
        await page.evaluate(
            """() => {
              window.token = async () =>
                (await import("/identity/app_check.js")).appCheckToken();
              window.first = window.token();
            }"""
        )
    await page.clock.fast_forward(5000)

    async with asyncio.timeout(40):
        assert await page.evaluate("() => window.first") == ""
        assert await page.evaluate("() => window.token()") == ""


@pytest.mark.parametrize(
    "user",
    [
        "null",
        """{ uid: "ana", getIdTokenResult: async () => {
             throw { code: "auth/user-token-expired" };
           } }""",
    ],
)
async def test_whom_firebase_knows_no_more_may_sign_in_anew(
    page: Page, user: str
) -> None:
    """
    Their account is put away: every call would fail for it, for ever.
    """
    auth = f"""
      export const indexedDBLocalPersistence = null;
      const ready = async () => {{}};
      export const initializeAuth = () =>
        ({{ authStateReady: ready, signOut: ready, currentUser: {user} }});
    """
    for part, script in (
        ("app", "export const initializeApp = () => {};"),
        ("auth", auth),
    ):
        fulfil = functools.partial(_script, body=script)
        await page.route(f"**/vendor/firebase-{part}.js", fulfil)
    await page.route(
        "**/.well-known/parley-web.json",
        lambda route: route.fulfill(body='{"firebase": {}}'),
    )
    await page.reload()
    body = """
      const ana = { uid: "ana", handle: "ana", by: "firebase", expiresAtMs: 0 };
      localStorage.setItem("parley.session", JSON.stringify(ana));
      return [await m.idToken().catch(({ code }) => code), m.account()];
    """

    assert await run(page, "/session.js", body) == ["id-token-expired", None]


async def test_whoever_signs_out_gets_no_more_pushes_here(page: Page) -> None:
    """
    The browser lets go of them by itself, though the API cannot be told.
    """
    await page.route("**/v1/**", lambda route: route.abort())
    body = """
      let subscribed = true;
      const unsubscribe = async () => { subscribed = false; };
      const pushManager = { getSubscription: async () => ({ unsubscribe }) };
      navigator.serviceWorker.getRegistration = async () => ({ pushManager });
      const device = { id: "device-1", uid: "ana", atMs: Date.now() };
      localStorage.setItem("parley.device", JSON.stringify(device));
      await m.forgetDevice();
      return [subscribed, localStorage.getItem("parley.device")];
    """

    assert await run(page, "/device.js", body) == [False, None]


async def _script(route: Route, body: str) -> None:
    await route.fulfill(body=body, content_type="text/javascript")

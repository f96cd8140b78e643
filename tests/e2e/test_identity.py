"""Who is signed in, as the web client keeps it, where Google is slow or says no."""

import asyncio
import functools
import json

from playwright.async_api import Page, Route

from tests.browser import run_module

# Somebody whose token has run out, and what Firebase answers to each renewal.
ANA = """
  const KEY = "parley.session";
  const ana = { uid: "ana", handle: "ana", displayName: "Ana", refreshToken: "first",
                expiresAtMs: 0 };
  const asked = [], bearers = [], renewals = [];
  const fresh = (token) =>
    Response.json({ id_token: token, refresh_token: "next", expires_in: "3600" });
  const refusal = (status, message) =>
    Response.json({ error: { message } }, { status });
  let put = null;
  globalThis.fetch = async (url, { method, headers, body }) => {
    if (url.endsWith("/parley-web.json")) return Response.json({ firebase: {} });
    if (url.startsWith("https://securetoken.googleapis.com/v1/token?")) {
      asked.push(String(body));
      return renewals.shift()();
    }
    if (method !== "PUT") return new Response(null, { status: 404 });
    bearers.push(headers.get("Authorization"));
    return put();
  };
  localStorage.setItem(KEY, JSON.stringify(ana));
"""


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

    assert await run_module(page, "/session.js", body) == ["sign-in-needed", None]


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


async def test_whom_firebase_knows_no_more_may_sign_in_anew(page: Page) -> None:
    """
    Their account is put away: every call would fail for it, for ever.
    """
    body = """
      const outcomes = [];
      for (const said of ["TOKEN_EXPIRED", "USER_NOT_FOUND : in words"]) {
        localStorage.setItem(KEY, JSON.stringify(ana));
        renewals.push(() => refusal(400, said));
        const code = await m.idToken().catch(({ code }) => code);
        outcomes.push([code, m.account()]);
      }
      return outcomes;
    """

    outcomes = await run_module(page, "/session.js", ANA + body)

    assert outcomes == [["id-token-expired", None]] * 2


async def test_whatever_else_firebase_says_signs_nobody_out(page: Page) -> None:
    """
    It passes, and a later call gets a token, by what the last one brought.
    """
    body = """
      const answers = [
        () => { throw new TypeError("network error"); },
        () => new Response("<h1>Welcome to our Wi-Fi</h1>"),
        () => new Response("Bad gateway", { status: 502 }),
        () => refusal(503, "Service unavailable."),
        () => refusal(429, "Quota exceeded."),
        () => refusal(401, "App Check token is invalid."),
        () => refusal(400, "USER_DISABLED"),
      ];
      renewals.push(...answers, () => fresh("later"));
      const codes = [];
      for (const _ of answers) codes.push(await m.idToken().catch(({ code }) => code));
      return [codes, await m.idToken(), new Set(asked).size, asked[0],
              m.account().refreshToken];
    """

    assert await run_module(page, "/session.js", ANA + body) == [
        ["unreachable", "not-parley", *["sign-in-failed"] * 4, "account-suspended"],
        "later",
        1,
        "grant_type=refresh_token&refresh_token=first",
        "next",
    ]


async def test_a_refused_token_signs_out_nobody_who_came_anew(page: Page) -> None:
    """
    In another tab they have signed in again while the old token was refused.
    """
    body = """
      const { promise, resolve: refuse } = Promise.withResolvers();
      renewals.push(() => promise, () => fresh("anew"));
      const renewing = m.idToken().catch(({ code }) => code);
      localStorage.setItem(KEY, JSON.stringify({ ...ana, refreshToken: "second" }));
      refuse(refusal(400, "TOKEN_EXPIRED"));
      return [await renewing, await m.idToken(), asked.length];
    """

    assert await run_module(page, "/session.js", ANA + body) == [
        "id-token-expired",
        "anew",
        2,
    ]


async def test_a_renewal_leaves_a_name_that_changed_meanwhile(page: Page) -> None:
    """
    It changes the token, and nothing else of what is kept by then.
    """
    body = """
      const { promise, resolve } = Promise.withResolvers();
      renewals.push(() => promise);
      const renewing = m.idToken();
      m.rename("Ana B");
      resolve(fresh("later"));
      return [await renewing, m.account().displayName];
    """

    assert await run_module(page, "/session.js", ANA + body) == ["later", "Ana B"]


async def test_a_name_that_is_stored_late_brings_no_old_token_back(page: Page) -> None:
    """
    Whoever has been kept with their handle may have another token by the time that
    their name is stored, or may have signed out in another tab.
    """
    body = """
      const keep = (idToken) => {
        const lasting = { ...ana, idToken, expiresAtMs: Number.MAX_SAFE_INTEGER };
        localStorage.setItem(KEY, JSON.stringify(lasting));
      };
      const naming = async (meanwhile) => {
        put = async () => { meanwhile(); return Response.json({}); };
        await m.createProfile({ ...ana, idToken: "first" }, "Ana B");
        return m.account();
      };
      keep("kept");
      const renewed = await naming(() => keep("newer"));
      const left = await naming(() => localStorage.removeItem(KEY));
      return [bearers, renewed.idToken, renewed.displayName, left];
    """

    assert await run_module(page, "/session.js", ANA + body) == [
        ["Bearer kept", "Bearer newer"],
        "newer",
        "Ana B",
        None,
    ]


async def test_whoever_takes_long_to_pick_a_handle_need_not_start_again(
    page: Page,
) -> None:
    """
    Their token has run out before their account is kept; another one is had.
    """
    body = """
      localStorage.clear();
      renewals.push(() => fresh("later"));
      put = async () => Response.json({});
      await m.createProfile({ ...ana, idToken: "first" }, "Ana");
      const { uid, idToken, refreshToken, displayName } = m.account();
      return [bearers, uid, idToken, refreshToken, displayName];
    """

    assert await run_module(page, "/session.js", ANA + body) == [
        ["Bearer later"],
        "ana",
        "later",
        "next",
        "Ana",
    ]


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

    assert await run_module(page, "/device.js", body) == [False, None]


async def test_a_registration_that_fails_forgets_no_earlier_one(page: Page) -> None:
    """
    Pushes go to this browser still: whoever signs out has them stopped, and until then
    each page tries again.
    """
    body = """
      const device = { id: "device-1", uid: "ana", atMs: 0 };
      localStorage.setItem("parley.device", JSON.stringify(device));
      const called = [];
      globalThis.fetch = async (url, { method }) => {
        called.push(`${method} ${url}`);
        if (method !== "PUT") return Response.json({ firebase: null });
        throw new TypeError("network error");
      };
      const ana = { uid: "ana", handle: "ana", idToken: "t", expiresAtMs: 9e15 };
      localStorage.setItem("parley.session", JSON.stringify(ana));
      await m.registerDevice();
      await m.registerDevice();
      await m.forgetDevice();
      return called.filter((call) => call.includes("/devices/"));
    """

    assert await run_module(page, "/device.js", body) == [
        "PUT /v1/me/devices/device-1",
        "PUT /v1/me/devices/device-1",
        "DELETE /v1/me/devices/device-1",
    ]


async def _script(route: Route, body: str) -> None:
    await route.fulfill(body=body, content_type="text/javascript")

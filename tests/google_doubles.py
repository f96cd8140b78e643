"""
Google's endpoints that the web client calls, answered at the page's network edge.

Firebase's own SDK runs unchanged and calls Google's own URLs; nothing leaves here.
"""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext, Route

from tests.running_stack import RunningStack

SETTINGS: Final = {
    "api_key": "AIzaTest",
    "app_id": "1:1234567890:web:abc123",
    "project_id": "demo-parley",
    "sender_id": "1234567890",
    "recaptcha_site_key": "6Ltest",
    # Any point of the curve will do where nobody pushes.
    "vapid_key": "BEl62iUYgUivxIkv69yViEuiBIa-Ib9-SkvMeAtA3LFg"
    "DzkrxZJjSgSnfckjBJuBkr3qBUYIHBQFLXYp5Nksh8U",
}
IDENTITY: Final = re.compile(r"https://(identitytoolkit|securetoken)\.googleapis\.com/")
OPERATIONS: Final = Path(__file__).parents[1] / "infra" / "operations.md"
# No reCAPTCHA without Google: the SDK's own way for tests.
DEBUG: Final = "self.FIREBASE_APPCHECK_DEBUG_TOKEN = 'debug';"
# No push service without Google: what the browser's would answer.
SUBSCRIBED: Final = """
PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async () => ({
  endpoint: "https://push.example/1",
  getKey: (name) => new Uint8Array(name === "auth" ? 16 : 65).buffer,
  unsubscribe: async () => true,
});
"""

Answer = Callable[[Any], dict[str, Any]]


class GoogleDoubles:
    """What Google would answer, and what it was asked."""

    def __init__(self, stack: RunningStack, handle: str) -> None:
        self._url = stack.url
        self._handle = handle
        self._account: dict[str, Any] = {}
        self.asked: list[tuple[str, Any]] = []
        self.identity_fails = False
        self._answers: dict[str, Answer] = {
            "accounts:sendOobCode": lambda body: {"email": body["email"]},
            "accounts:signInWithEmailLink": self._signed_in,
            "accounts:lookup": self._looked_up,
            "v1/token": self._renewed,
            ":exchangeDebugToken": lambda _: {"token": "app-check", "ttl": "3600s"},
            "/installations": lambda _: _installation(),
            "/registrations": lambda _: {"token": "fcm-token"},
        }

    async def serve(self, context: BrowserContext, vendor: Path) -> None:
        """Answer for Google, and serve Firebase's SDK where a deployment has it."""
        proof = await context.request.post(
            f"{self._url}/local/sign-in", data={"handle": self._handle}
        )
        self._account = await proof.json()
        await context.add_init_script(DEBUG + SUBSCRIBED)
        await context.route(
            "**/.well-known/parley-web.json", _json({"firebase": SETTINGS})
        )
        await context.route("**/local/", _missing)  # in production there is none
        await context.route("**/vendor/*", _files(vendor))
        await context.route(re.compile(r"https://[a-z-]+\.googleapis\.com/"), self._say)
        await context.route(self._url + "/**", self._as_deployed)

    def bodies(self, call: str) -> list[Any]:
        """Return what one call was asked with."""
        return [body for url, body in self.asked if call in url]

    async def _say(self, route: Route) -> None:
        request = route.request
        headers = {"Access-Control-Allow-Origin": "*"}
        if request.method == "OPTIONS":
            allowed = request.headers.get("access-control-request-headers", "")
            headers["Access-Control-Allow-Headers"] = allowed
            return await route.fulfill(headers=headers)
        text = request.post_data or "{}"
        body = json.loads(text) if text.startswith("{") else text
        self.asked.append((request.url, body))
        if self.identity_fails and IDENTITY.match(request.url):
            error = {"error": {"code": 503, "message": "Service unavailable."}}
            return await route.fulfill(status=503, json=error, headers=headers)
        for call, answer in self._answers.items():
            if call in request.url:
                found = json.dumps(answer(body))
                return await route.fulfill(body=found, headers=headers)
        await route.fulfill(status=404, headers=headers)

    async def _as_deployed(self, route: Route) -> None:
        """Have documents come with the policy that the operator is told to set."""
        if route.request.resource_type != "document":
            return await route.fallback()
        response = await route.fetch()
        headers = dict(response.headers)
        name = "content-security-policy"
        headers[name] = with_google(headers[name])
        await route.fulfill(response=response, headers=headers)

    def _signed_in(self, body: Any) -> dict[str, Any]:
        return {
            "email": body["email"],
            "localId": self._account["uid"],
            "idToken": self._account["id_token"],
            "refreshToken": "refresh",
            "expiresIn": "3600",
        }

    def _looked_up(self, _: Any) -> dict[str, Any]:
        found = {"localId": self._account["uid"], "email": "ana@example.com"}
        return {"users": [found]}

    def _renewed(self, _: Any) -> dict[str, Any]:
        return {
            "user_id": self._account["uid"],
            "project_id": SETTINGS["sender_id"],
            "id_token": self._account["id_token"],
            "access_token": self._account["id_token"],
            "refresh_token": "refresh",
            "expires_in": "3600",
        }


def with_google(policy: str) -> str:
    """Return a content security policy with what the guide adds for Firebase."""
    added = dict(
        re.findall(r"^   - `([a-z]+-src)`: `(.+)`$", OPERATIONS.read_text(), re.M)
    )
    assert set(added) == {"connect-src", "script-src", "frame-src"}
    directives = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    for name, origins in added.items():
        directives[name] = f"{directives.get(name, '')} {origins}".strip()
    return "; ".join(f"{name} {words}" for name, words in directives.items())


def _installation() -> dict[str, Any]:
    token = {"token": "installation", "expiresIn": "604800s"}
    return {"fid": "c" * 22, "refreshToken": "refresh", "authToken": token}


def _json(body: Any) -> Callable[[Route], Awaitable[None]]:
    async def answer(route: Route) -> None:
        await route.fulfill(json=body)

    return answer


async def _missing(route: Route) -> None:
    await route.fulfill(status=404)


def _files(folder: Path) -> Callable[[Route], Awaitable[None]]:
    async def answer(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[-1]
        await route.fulfill(path=folder / name, content_type="text/javascript")

    return answer

"""An async client of Parley's HTTP API, as an app's own code would hold one."""

import asyncio
import logging
import time
import uuid
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import aiohttp

logger = logging.getLogger(__name__)

# What a machine without time for Firestore makes of a call, and a crowd.
PASSING: Final = ("contended", "dependency-unavailable")
PATIENCE_S: Final = 60.0
PAUSE_S: Final = 0.25


class ApiError(Exception):
    """
    The API answered a problem; `code` is the last segment of its type.

    Args:
        retry_after_s: What its Retry-After says; 0 where there is none.
    """

    def __init__(
        self, status: int, problem: dict[str, Any], *, retry_after_s: float = 0.0
    ) -> None:
        super().__init__(f"{status} {problem}")
        self.status = status
        self.retry_after_s = retry_after_s
        self.code = str(problem.get("type", "")).rsplit("/", 1)[-1]
        self.problem = problem


class Api:
    """One signed-in person; use as an async context manager."""

    def __init__(self, base_url: str, handle: str) -> None:
        self.base_url = base_url
        self.handle = handle
        self.uid = ""
        self._id_token = ""

    async def __aenter__(self) -> Self:
        # A self-made certificate guards nothing here: tests talk to themselves.
        connector = aiohttp.TCPConnector(ssl=False)
        self._http = aiohttp.ClientSession(connector=connector)
        signed_in = await self.call("POST", "/local/sign-in", {"handle": self.handle})
        self.uid, self._id_token = signed_in["uid"], signed_in["id_token"]
        await self.call(
            "PUT",
            "/v1/me",
            {"handle": self.handle, "display_name": self.handle.title()},
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """
        Send a request with this person's ID token and return the JSON answer.

        Refused for what passes, it is made again, as `Retry-After` says, and that is
        logged; by the same key, so that nothing is made twice.

        Raises:
            ApiError: the status is 400 or above.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        key = {"Idempotency-Key": uuid.uuid4().hex} if method == "POST" else {}
        sent = {**key, **(headers or {})}
        while True:
            try:
                return await self.call_once(method, path, body, sent)
            except ApiError as error:
                if error.code not in PASSING or time.monotonic() > deadline_s:
                    raise
                logger.warning("%s %s is made again: %s", method, path, error.code)
                pause_s = max(PAUSE_S, error.retry_after_s)
            await asyncio.sleep(pause_s)

    async def call_once(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send one request; see `call`."""
        bearer = {"Authorization": f"Bearer {self._id_token}"}
        async with self._http.request(
            method,
            self.base_url + path,
            json=body,
            headers={**bearer, **(headers or {})},
        ) as response:
            answer = await response.json(content_type=None)
            if response.status >= 400:
                after_s = float(response.headers.get("Retry-After", 0))
                raise ApiError(response.status, answer, retry_after_s=after_s)
            return answer

    async def text(self, path: str) -> str:
        """
        GET `path` as somebody who is not signed in does; the body need be no text.

        Raises:
            ApiError: the status is 400 or above.
        """
        async with self._http.get(self.base_url + path) as response:
            if response.status >= 400:
                raise ApiError(response.status, await response.json(content_type=None))
            return await response.text(errors="replace")

    async def open_space(self, title: str, speaker_policy: str = "invited") -> str:
        """Create a Space, start it, and return its id."""
        space = await self.call(
            "POST", "/v1/spaces", {"title": title, "speaker_policy": speaker_policy}
        )
        await self.call("POST", f"/v1/spaces/{space['id']}/start")
        return str(space["id"])

    async def join(self, space_id: str, role: str = "listener") -> dict[str, Any]:
        """Join a Space and return what `join` answers."""
        joined: dict[str, Any] = await self.call(
            "POST", f"/v1/spaces/{space_id}/join", {"role": role}
        )
        return joined

    async def react(self, space_id: str, grant: str, emoji: str) -> None:
        """
        Send a reaction.

        Raises:
            ApiError: the API refused.
        """
        async with self._http.post(
            f"{self.base_url}/v1/spaces/{space_id}/reactions",
            json={"emoji": emoji},
            headers={"Authorization": f"Bearer {grant}"},
        ) as response:
            if response.status != 204:
                raise ApiError(response.status, await response.json(content_type=None))

    async def post_sdp(self, url: str, grant: str, offer: str) -> tuple[str, str]:
        """
        Open a WHIP or WHEP session and return `(answer, session_url)`.

        Raises:
            ApiError: the API refused.
        """
        async with self._http.post(
            url,
            data=offer,
            headers={
                "Authorization": f"Bearer {grant}",
                "Content-Type": "application/sdp",
            },
        ) as response:
            if response.status != 201:
                after_s = float(response.headers.get("Retry-After", 0))
                problem = await response.json(content_type=None)
                raise ApiError(response.status, problem, retry_after_s=after_s)
            return await response.text(), response.headers["Location"]

    async def delete_session(self, session_url: str, grant: str) -> None:
        """Close a session; one that is gone already is fine."""
        headers = {"Authorization": f"Bearer {grant}"}
        async with self._http.delete(session_url, headers=headers) as response:
            await response.read()

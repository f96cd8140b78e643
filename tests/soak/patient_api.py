"""Clients of the API that try again as ours do, and note how it answered."""

import asyncio
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

import aiohttp

from tests.api import Api, ApiError

PATIENCE_S: Final = 10.0
PAUSE_S: Final = 1.0
LOST: Final = (aiohttp.ClientError, TimeoutError, OSError)


class CallLog:
    """
    How all calls of the soak went.

    Attributes:
        took_s: Kind of call -> seconds of each answered try.
        outcomes: 1 for each call that succeeded in time, 0 for the others.
        tries_again: Why calls had to be made again, counted.
        failures: What became of calls that did not succeed.
    """

    def __init__(self) -> None:
        self.took_s: defaultdict[str, list[float]] = defaultdict(list)
        self.outcomes: list[float] = []
        self.tries_again: Counter[str] = Counter()
        self.failures: list[str] = []

    def answered(self, kind: str, began_s: float) -> None:
        """Note an answer to a try that began at monotonic `began_s`."""
        self.took_s[kind].append(time.monotonic() - began_s)
        self.outcomes.append(1.0)

    def failed(self, what: str) -> None:
        """Note a call that did not succeed within its patience."""
        self.outcomes.append(0.0)
        self.failures.append(what)


def kind_of(method: str, path: str) -> str:
    """Return which promise a call falls under: "read", "write" or "join"."""
    if path.endswith(("/join", "/whip", "/whep")):
        return "join"
    return "read" if method == "GET" else "write"


class PatientApi(Api):
    """One person, whose calls are made again for 10 s as `Retry-After` says."""

    def __init__(self, base_url: str, handle: str, calls: CallLog) -> None:
        super().__init__(base_url, handle)
        self._calls = calls

    async def call(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request, as often as it needs; raises what the last try did."""
        if path.startswith("/local/"):  # no part of what is promised
            return await self.call_once(method, path, body, headers)
        deadline_s = time.monotonic() + PATIENCE_S
        while True:
            began_s = time.monotonic()
            try:
                async with asyncio.timeout(deadline_s - began_s):
                    answer = await self.call_once(method, path, body, headers)
            except (ApiError, *LOST) as error:
                if isinstance(error, ApiError) and error.status < 429:
                    self._calls.answered(kind_of(method, path), began_s)
                    raise
                await self._wait(error, f"{method} {path}", deadline_s)
            else:
                self._calls.answered(kind_of(method, path), began_s)
                return answer

    async def _wait(self, error: Exception, what: str, deadline_s: float) -> None:
        self._calls.tries_again[_reason(error)] += 1
        pause_s = PAUSE_S
        if isinstance(error, ApiError):
            pause_s = max(pause_s, error.retry_after_s)
        if time.monotonic() + pause_s > deadline_s:
            self._calls.failed(f"{what}: {_reason(error)}")
            raise error
        await asyncio.sleep(pause_s)

    async def create(self, path: str, body: dict[str, Any]) -> Any:
        """POST with an Idempotency-Key, so that a second try makes nothing twice."""
        key = {"Idempotency-Key": uuid.uuid4().hex}
        return await self.call("POST", path, body, key)

    async def post_sdp(self, url: str, grant: str, offer: str) -> tuple[str, str]:
        """Open a session; tried once, as a client joins again after a refusal."""
        began_s = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE_S):
                opened = await super().post_sdp(url, grant, offer)
        except (ApiError, *LOST) as error:
            reason = _reason(error)
            self._calls.tries_again[reason] += 1
            if isinstance(error, ApiError) and error.status < 429:
                self._calls.answered("join", began_s)
            raise
        self._calls.answered("join", began_s)
        return opened


def _reason(error: Exception) -> str:
    if isinstance(error, ApiError):
        return f"{error.status} {error.code}"
    return type(error).__name__

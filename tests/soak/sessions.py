"""One WHIP or WHEP session of a client whose own network may be rough."""

import asyncio
import contextlib
import random
from typing import Final

from tests.api import ApiError
from tests.soak.patient_api import LOST, PatientApi
from tests.soak.rough_path import RoughPath, Weather

# As in infra/hosting/public/media: exchange.js and backoff.js.
SOON: Final = frozenset({"worker-starting", "not-on-stage"})
TRIES: Final = 8
FIRST_DELAY_S: Final = 0.25
MAX_DELAY_S: Final = 4.0
RELEASE_S: Final = 3.0


class Session:
    """
    The `Signalling` of a light peer, for one session.

    Lifecycle: `post_sdp` once, then `release`, which is legal at any time.

    Args:
        weather: Of the network; None: it is as good as loopback.
    """

    def __init__(
        self, api: PatientApi, weather: Weather | None, chance: random.Random
    ) -> None:
        self._api = api
        self._weather = weather
        self._chance = chance
        self._made: tuple[str, str] | None = None
        self._path: RoughPath | None = None

    async def post_sdp(self, url: str, grant: str, offer: str) -> tuple[str, str]:
        """
        Open it; what passes by itself is tried again.

        Raises:
            ApiError: the API refused.
        """
        for tried in range(TRIES):
            try:
                answer, made = await self._api.post_sdp(url, grant, offer)
            except ApiError as error:
                if error.code not in SOON or tried == TRIES - 1:
                    raise
                pause_s = backoff_s(tried, self._chance)
                await asyncio.sleep(max(error.retry_after_s, pause_s))
            else:
                self._made = made, grant
                return await self._through_path(answer), made
        raise AssertionError("unreachable")

    async def delete_session(self, url: str, grant: str) -> None:
        """Close it."""
        await self.release()

    async def release(self) -> None:
        """Close it, if that can be done soon."""
        made, self._made = self._made, None
        if made is not None:
            with contextlib.suppress(ApiError, *LOST):
                async with asyncio.timeout(RELEASE_S):
                    await self._api.delete_session(*made)
        if self._path is not None:
            self._path.close()
            self._path = None

    async def _through_path(self, answer: str) -> str:
        """Where the network is rough, lead the client through it."""
        if self._weather is None:
            return answer
        candidate = next(
            line for line in answer.splitlines() if line.startswith("a=candidate")
        )
        words = candidate.split()
        target = words[4], int(words[5])
        self._path = await RoughPath.open(target, self._weather, self._chance)
        host, port = self._path.address
        words[4:6] = host, str(port)
        return answer.replace(candidate, " ".join(words))


def backoff_s(attempt: int, chance: random.Random) -> float:
    """Return how long to wait before the next attempt, as media/backoff.js says."""
    ceiling_s: float = min(MAX_DELAY_S, FIRST_DELAY_S * 2**attempt)
    return ceiling_s * (1 + chance.random()) / 2

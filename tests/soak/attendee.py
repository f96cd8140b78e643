"""Somebody in a Space: hears, perhaps talks, comes back as the web client does."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from spaces.domain.notice import NOTICE_VERSION
from tests.api import ApiError
from tests.crowd import Crowd, CrowdMember
from tests.light_clients import LightSpeaker
from tests.soak.hearing import HearingLog
from tests.soak.patient_api import LOST, PatientApi
from tests.soak.rough_path import LOOPBACK, Weather
from tests.soak.sessions import Session, backoff_s

STALL_S: Final = 3.0  # as in infra/hosting/public/media/stall.js
CONNECT_S: Final = 15.0
LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all attendees of one soak share."""

    crowd: Crowd
    chance: random.Random


@dataclass(slots=True)
class Talk:
    """One stretch of talking: from when, until when, in seconds since 1970."""

    from_s: float
    to_s: float = 0.0


class Attendee:
    """
    A person in one Space.

    Lifecycle: `come` once, then `leave`.

    Args:
        frames: What they say, as Opus packets; none: a listener.
        weather: Of their own network; None: it is as good as loopback.

    Attributes:
        joins_s: When each was first tried, and how long it was to the first packet.
        talks: When they talked to a worker.
    """

    def __init__(
        self,
        api: PatientApi,
        space_id: str,
        around: Surroundings,
        *,
        frames: Sequence[bytes] = (),
        weather: Weather | None = None,
    ) -> None:
        self.api = api
        self.hearing = HearingLog(counts_loss=weather is None)
        self.joins_s: list[tuple[float, float]] = []
        self.talks: list[Talk] = []
        self._space_id = space_id
        self._around = around
        self._frames = list(frames)
        self._weather = weather

    def come(self) -> None:
        """Be in the Space from now on."""
        self.hearing.come(time.time())
        self._task = asyncio.create_task(self._stay(), name=f"attend-{self.api.handle}")

    async def leave(self) -> None:
        """Leave it for good; raises what broke the attendee itself."""
        self.hearing.close(time.time())
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _stay(self) -> None:
        """Join, and join again whenever the sound stops."""
        attempt = 0
        while True:
            if attempt == 0:  # tries that fail are part of how long a join takes
                began_s = time.time()
            try:
                await self._live(began_s)
            except* (ApiError, ConnectionError, *LOST):
                pass  # the API log has it
            attempt = 0 if self.hearing.session_first_s else attempt + 1
            await asyncio.sleep(backoff_s(attempt, self._around.chance))

    async def _live(self, began_s: float) -> None:
        """Hold one session, wanted since `began_s`; return once it has stalled."""
        self.hearing.new_session()
        body = {
            "role": "speaker" if self._frames else "listener",
            "recording_notice": NOTICE_VERSION,
        }
        path = f"/v1/spaces/{self._space_id}/join"
        joined = await self.api.call("POST", path, body)
        async with contextlib.AsyncExitStack() as held:
            async with asyncio.timeout(CONNECT_S), asyncio.TaskGroup() as both:
                both.create_task(self._hear(joined, held))
                if self._frames:
                    both.create_task(self._talk(joined, held))
            await self._until_stalled(began_s)

    def _session(self, held: contextlib.AsyncExitStack) -> Session:
        session = Session(self.api, self._weather, self._around.chance)
        held.push_async_callback(session.release)
        return session

    async def _hear(
        self, joined: dict[str, Any], held: contextlib.AsyncExitStack
    ) -> None:
        session = self._session(held)
        member = CrowdMember(LOOPBACK, sampled=True, arrivals=self.hearing)

        async def answer(offer: str) -> str:
            url, grant = joined["whep_url"], joined["grant"]
            return (await session.post_sdp(url, grant, offer))[0]

        try:
            await member.connect(answer)
        except BaseException:
            member.close()
            raise
        self._around.crowd.add(member)
        held.callback(self._around.crowd.remove, member)

    async def _talk(
        self, joined: dict[str, Any], held: contextlib.AsyncExitStack
    ) -> None:
        speaker = LightSpeaker(self._session(held), self._frames)
        held.push_async_callback(speaker.aclose)
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        talk = Talk(time.time())
        self.talks.append(talk)
        held.callback(_end, talk)

    async def _until_stalled(self, began_s: float) -> None:
        up_s = time.time()
        noted = False
        while time.time() - max(up_s, self.hearing.last_s) < STALL_S:
            await asyncio.sleep(LOOK_S)
            first_s = self.hearing.session_first_s
            if first_s and not noted:
                self.joins_s.append((began_s, first_s - began_s))
                noted = True


def _end(talk: Talk) -> None:
    talk.to_s = time.time()

"""A Space of three speakers and twenty listeners, and what they keep doing in it."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from spaces.domain.notice import NOTICE_VERSION
from tests.api import ApiError
from tests.soak.attendee import Attendee, Surroundings
from tests.soak.journal import Journal, Key
from tests.soak.patient_api import LOST, CallLog, PatientApi
from tests.soak.rough_path import Weather
from tests.worker_process import until

PATIENCE_S: Final = 60.0  # far beyond what an opening takes
SPEAKERS: Final = 3
LISTENERS: Final = 20
ACT_EVERY_S: Final = (2.0, 6.0)
PLANNED: Final = 4  # scheduled Spaces of one host
INVITES_EACH: Final = 4  # of one listener: more would be pestering


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """
    What the Spaces of one soak share.

    Args:
        voices: Opus packets of each speaker.
        weather: Of the people with a bad network.
    """

    url: str
    calls: CallLog
    around: Surroundings
    weather: Weather
    voices: Sequence[Sequence[bytes]]


@dataclass
class LiveSpace:
    """
    One Space.

    Lifecycle: `open` once, `act` as a task, then `found`, `end` and `aclose`.

    Attributes:
        losses: When its worker was killed, in seconds since 1970.
        attendees: All who were ever in it; who came back by themselves are one.
        start_to_audio_s: From `start` to the first packet at anybody.
        heard_from_s: When that was, in seconds since 1970.
        recorded_s: When all speakers had agreed to be recorded.
        ended_s: When it was ended.
    """

    setting: Setting
    number: int
    recorded: bool
    journal: Journal = field(default_factory=Journal)
    losses: list[float] = field(default_factory=list)
    speakers: list[PatientApi] = field(default_factory=list)
    listeners: list[PatientApi] = field(default_factory=list)
    attendees: list[Attendee] = field(default_factory=list)
    id: str = ""
    start_to_audio_s: float = 0.0
    heard_from_s: float = 0.0
    recorded_s: float = 0.0
    ended_s: float = 0.0
    _began_s: float = 0.0
    _invites: Counter[str] = field(default_factory=Counter)
    _opened: contextlib.AsyncExitStack = field(
        default_factory=contextlib.AsyncExitStack
    )

    async def open(self) -> Self:
        """Create and start it, and let everybody in; return when all hear it."""
        self.speakers = [await self._person(f"voice{n}") for n in range(SPEAKERS)]
        self.listeners = [await self._person(f"ear{n:02}") for n in range(LISTENERS)]
        title = f"Soak {self.number}"
        made = await self.host.create("/v1/spaces", {"title": title})
        self.id = made["id"]
        self.journal.acknowledge(("space", self.id), title)
        self._began_s = time.time()
        await self.host.call("POST", self._path("start"))
        self._attend(self.host, self.setting.voices[0])
        for number, listener in enumerate(self.listeners):
            self._attend(listener, weather=number % 5 == 4)
        await self._fill_stage()
        await self._all_hear()
        self.heard_from_s = min(each.hearing.first_s for each in self.attendees)
        self.start_to_audio_s = self.heard_from_s - self._began_s
        if self.recorded:
            await self._record()
        return self

    @property
    def host(self) -> PatientApi:
        """Whose Space it is; also a speaker."""
        return self.speakers[0]

    async def act(self, chance: random.Random) -> None:
        """Do something every few seconds; ends by cancellation."""
        deeds = [self._ask, self._invite, self._plan, self._remind, self._look]
        deeds.append(self._come_and_go)
        if not self.recorded:  # where a mute would be a gap of the recording
            deeds.append(self._mute)
        while True:
            await asyncio.sleep(chance.uniform(*ACT_EVERY_S))
            with contextlib.suppress(ApiError, *LOST):  # the call log has it
                await chance.choice(deeds)(chance)

    async def found(self) -> dict[Key, Any]:
        """Return what the API now says of all that the journal holds."""
        call = self.host.call
        found: dict[Key, Any] = {}
        asked = await self._pages(self._path("speak-requests"), "speak_requests")
        found |= {("asked", each["uid"]): True for each in asked}
        invited = await self._pages(self._path("invites"), "invites")
        found |= {("invited", each["uid"]): True for each in invited}
        people = await self._pages(self._path("participants"), "participants")
        found |= {("muted", each["uid"]): each["muted"] for each in people}
        for key in self.journal.keys("space"):
            found[key] = (await call("GET", f"/v1/spaces/{key[1]}"))["title"]
        persons = {person.uid: person for person in self.listeners}
        for key in self.journal.keys("reminded"):
            mine = await persons[key[2]].call("GET", f"/v1/spaces/{key[1]}/me")
            found[key] = mine["subscribed"] or None
        for speaker in self.speakers if self.recorded else ():
            mine = await speaker.call("GET", self._path("recording/consent"))
            proven = mine["state"] == "granted" and mine["receipt"] is not None
            found[("consented", speaker.uid)] = proven
        return found

    async def end(self) -> None:
        """End it, and let everybody go."""
        self.ended_s = time.time()
        for attendee in self.attendees:
            attendee.hearing.close(self.ended_s)
        await self.host.call("POST", self._path("end"))
        await asyncio.gather(*(each.leave() for each in self.attendees))

    async def aclose(self) -> None:
        """Let go of what is left."""
        await asyncio.gather(*(each.leave() for each in self.attendees))
        await self._opened.aclose()

    async def _person(self, name: str) -> PatientApi:
        handle = f"s{self.number}_{name}"
        api = PatientApi(self.setting.url, handle, self.setting.calls)
        return await self._opened.enter_async_context(api)

    def _path(self, rest: str) -> str:
        return f"/v1/spaces/{self.id}/{rest}"

    def _attend(
        self, api: PatientApi, frames: Sequence[bytes] = (), *, weather: bool = False
    ) -> None:
        attendee = Attendee(
            api,
            self.id,
            self.setting.around,
            frames=frames,
            weather=self.setting.weather if weather else None,
        )
        self.attendees.append(attendee)
        attendee.come()

    async def _fill_stage(self) -> None:
        """Bring the others on stage, one by an invite and one who asks."""
        _, guest, asker = self.speakers
        await self.host.call("POST", self._path("invites"), {"user_ids": [guest.uid]})
        await guest.call("POST", self._path(f"invites/{guest.uid}/accept"))
        await asker.join(self.id)
        await asker.call("POST", self._path("speak-requests"))
        await self.host.call("POST", self._path(f"speak-requests/{asker.uid}/accept"))
        path = self._path(f"participants/{asker.uid}")
        await asker.call(
            "PATCH", path, {"muted": False}
        )  # who is there is brought muted
        for api, frames in zip(self.speakers[1:], self.setting.voices[1:], strict=True):
            self._attend(api, frames, weather=api is asker)

    async def _all_hear(self) -> None:
        await until(
            lambda: all(each.hearing.packets for each in self.attendees), PATIENCE_S
        )

    async def _record(self) -> None:
        await self.host.call("PUT", self._path("recording"), {"requested": True})
        yes = {
            "granted": True,
            "notice_version": NOTICE_VERSION,
            "scopes": ["archive"],
        }
        for speaker in self.speakers:
            path = self._path("recording/consent")
            await speaker.call("PUT", path, yes)
            self.journal.acknowledge(("consented", speaker.uid), True)
        self.recorded_s = time.time()

    async def _pages(self, path: str, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            after = f"&page_token={token}" if token else ""
            page = await self.host.call("GET", f"{path}?page_size=50{after}")
            found += page[name]
            token = page["next_page_token"]
            if not token:
                return found

    async def _switch(
        self,
        key: Key,
        on: Callable[[], Awaitable[Any]],
        off: Callable[[], Awaitable[Any]],
    ) -> None:
        """Do what is undone, or undo it."""
        if self.journal.is_known(key, True):
            await self.journal.change(key, None, off())
        else:
            await self.journal.change(key, True, on())

    async def _ask(self, chance: random.Random) -> None:
        one = chance.choice(self.listeners)
        path = self._path("speak-requests")
        await self._switch(
            ("asked", one.uid),
            lambda: one.call("POST", path),
            lambda: self.host.call("POST", f"{path}/{one.uid}/decline"),
        )

    async def _invite(self, chance: random.Random) -> None:
        one = chance.choice(self.listeners)
        self._invites[one.uid] += 1
        if self._invites[one.uid] > 2 * INVITES_EACH:  # half of them are revoked
            return
        path = self._path("invites")
        await self._switch(
            ("invited", one.uid),
            lambda: self.host.call("POST", path, {"user_ids": [one.uid]}),
            lambda: self.host.call("DELETE", f"{path}/{one.uid}"),
        )

    async def _plan(self, chance: random.Random) -> None:
        count = len(self.journal.keys("space"))
        if count > PLANNED:
            return
        at = datetime.now(UTC) + timedelta(hours=chance.uniform(1, 100))
        title = f"Soak {self.number} to come, {count}"
        body = {"title": title, "scheduled_start": at.isoformat()}
        made = await self.host.create("/v1/spaces", body)
        self.journal.acknowledge(("space", made["id"]), title)

    async def _remind(self, chance: random.Random) -> None:
        planned = [key[1] for key in self.journal.keys("space") if key[1] != self.id]
        if not planned:
            return
        one, space_id = chance.choice(self.listeners), chance.choice(planned)
        path = f"/v1/spaces/{space_id}/reminder"
        await self._switch(
            ("reminded", space_id, one.uid),
            lambda: one.call("PUT", path),
            lambda: one.call("DELETE", path),
        )

    async def _mute(self, chance: random.Random) -> None:
        one = chance.choice(self.speakers[1:])
        path = self._path(f"participants/{one.uid}")
        key = ("muted", one.uid)
        if self.journal.is_known(key, True):
            await self.journal.change(
                key, False, one.call("PATCH", path, {"muted": False})
            )
        else:
            await self.journal.change(
                key, True, self.host.call("PATCH", path, {"muted": True})
            )

    async def _come_and_go(self, chance: random.Random) -> None:
        there = [each for each in self.attendees if not each.hearing.closed_s]
        one = chance.choice([each for each in there if each.api in self.listeners])
        await one.leave()
        self._attend(one.api, weather=not one.hearing.counts_loss)

    async def _look(self, chance: random.Random) -> None:
        one = chance.choice(self.listeners)
        paths = (f"/v1/spaces/{self.id}", self._path("participants"), self._path("me"))
        await one.call("GET", chance.choice(paths))

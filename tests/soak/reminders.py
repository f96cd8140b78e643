"""Plans Spaces and starts them, and asks when whoever waits was told."""

import asyncio
import contextlib
import time
from datetime import UTC, datetime
from typing import Final

from tests.api import ApiError
from tests.soak.journal import Journal
from tests.soak.patient_api import LOST, CallLog, PatientApi

AHEAD_S: Final = 305.0  # 5 minutes at least
PLAN_EVERY_S: Final = 45.0
TOLD_WITHIN_S: Final = 60.0  # after that nobody waits for it any more
TOO_EARLY: Final = float("inf")
SUBSCRIBERS: Final = 3
_Due = tuple[str, str, str, float]  # handle, kind of push, Space, when it is due


class Reminders:
    """
    One host who plans Spaces, and those who want to be told.

    Lifecycle: `run` once.

    Attributes:
        late_s: How late each push was.
        untold: Who was never told, though that was acknowledged.
    """

    def __init__(self, url: str, calls: CallLog) -> None:
        self.journal = Journal()
        self.late_s: list[float] = []
        self.untold: list[str] = []
        self._host = PatientApi(url, "planner", calls)
        self._waiting = [PatientApi(url, f"fan{n}", calls) for n in range(SUBSCRIBERS)]
        self._due: list[_Due] = []

    async def run(self, until_s: float) -> None:
        """Plan and start Spaces until monotonic `until_s`."""
        async with contextlib.AsyncExitStack() as opened:
            for person in (self._host, *self._waiting):
                await opened.enter_async_context(person)
                await person.call(
                    "PUT",
                    "/v1/me/devices/phone",
                    {
                        "platform": "web",
                        "token": f"token-{person.handle}",
                        "app_version": "1.0.0",
                        "locale": "en-GB",
                        "time_zone": "Europe/Berlin",
                    },
                )
            number = 0
            while time.monotonic() + TOLD_WITHIN_S / 2 < until_s:
                with contextlib.suppress(ApiError, *LOST):  # the call log has it
                    await self._plan(number, until_s)
                number += 1
                await asyncio.sleep(PLAN_EVERY_S)
            await asyncio.sleep(max(0.0, until_s - time.monotonic()))
            self.late_s = await self._late_s()

    async def _plan(self, number: int, until_s: float) -> None:
        """One Space is left to its reminder; another starts at once."""
        in_time = time.monotonic() + AHEAD_S + TOLD_WITHIN_S / 2 < until_s
        if in_time and number % 2 == 0:  # of ten that one may have planned at once
            space_id, due_s = await self._scheduled(f"In time {number}")
            self._due.append((self._host.handle, "host_due", space_id, due_s))
        space_id, _ = await self._scheduled(f"At once {number}")
        for person in self._waiting:
            key = ("reminder", space_id, person.uid)
            path = f"/v1/spaces/{space_id}/reminder"
            await self.journal.change(key, True, person.call("PUT", path))
        started_s = time.time()
        await self._host.call("POST", f"/v1/spaces/{space_id}/start")
        for person in self._waiting:
            if self.journal.is_known(("reminder", space_id, person.uid), True):
                self._due.append((person.handle, "live", space_id, started_s))
        await asyncio.sleep(PLAN_EVERY_S / 3)
        await self._host.call("POST", f"/v1/spaces/{space_id}/end")

    async def _scheduled(self, title: str) -> tuple[str, float]:
        """Return the Space and its time, as the API keeps it: in whole seconds."""
        at = datetime.fromtimestamp(time.time() + AHEAD_S, UTC).isoformat()
        body = {"title": title, "scheduled_start": at}
        space = await self._host.create("/v1/spaces", body)
        return space["id"], datetime.fromisoformat(space["scheduled_start"]).timestamp()

    async def _late_s(self) -> list[float]:
        """Return how late each push was, and note who was told nothing."""
        told = await self._told()
        late: list[float] = []
        for handle, kind, space_id, due_s in self._due:
            at_s = told.get((f"token-{handle}", kind, space_id))
            if at_s is None:
                self.untold.append(f"{handle} was not told that {space_id} is {kind}")
            else:
                late.append(at_s - due_s if at_s >= due_s else TOO_EARLY)
        return late

    async def _told(self) -> dict[tuple[str, str, str], float]:
        """Return when each push came first, by device, kind and Space."""
        async with asyncio.timeout(TOLD_WITHIN_S):
            answer = await self._host.call("GET", "/local/push")
        told: dict[tuple[str, str, str], float] = {}
        for each in answer["messages"]:
            data = each["message"]["data"]
            key = (each["target"], data.get("kind", ""), data.get("space_id", ""))
            at_s = datetime.fromisoformat(each["received_at"]).timestamp()
            told[key] = min(at_s, told.get(key, at_s))
        return told

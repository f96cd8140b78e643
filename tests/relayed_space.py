"""A Space whose audience outgrows its first worker, wherever its workers run."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import pytest

from spaces_contract.relays import relay_of
from spaces_contract.roles import PeerKind
from tests.api import Api, ApiError
from tests.light_clients import LightPeer, LightSpeaker
from tests.worker_process import until

FIRST_LISTENERS: Final = 2
# A heartbeat, a look of the watchdog, the launch, a heartbeat: 5 + 5 + 2 + 5 s.
RELAYED_S: Final = 150.0
SCOUT_S: Final = 0.5


@dataclass
class RelayedSpace:
    """A live Space with a speaker, two listeners at its origin, and a relay."""

    host: Api
    space_id: str
    opened: contextlib.AsyncExitStack
    room_path: str = ""
    people: dict[str, Api] = field(default_factory=dict)

    async def person(self, handle: str) -> Api:
        """Sign somebody in."""
        api = await self.opened.enter_async_context(Api(self.host.base_url, handle))
        self.people[handle] = api
        return api

    async def listener(self, handle: str) -> LightPeer:
        """Let somebody listen; they rejoin nowhere by themselves."""
        api = self.people.get(handle) or await self.person(handle)
        joined = await api.join(self.space_id)
        peer = LightPeer(api, PeerKind.WHEP)
        self.opened.push_async_callback(peer.aclose)
        await peer.connect(joined["whep_url"], joined["grant"])
        return peer

    async def listener_count(self) -> int:
        """Return what everybody sees."""
        room = await self.host.call("GET", self.room_path)
        count: int = room["listener_count"]
        return count

    async def is_served(self) -> bool:
        """Whether a worker has begun."""
        try:
            await self.host.text(self.room_path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True

    async def sends_to_a_relay(self) -> bool:
        """Whether whoever comes now is sent to a relay; they leave again."""
        await asyncio.sleep(SCOUT_S)
        peer = await self.listener("scout")
        await peer.aclose()
        return session_relay(peer._session_url) is not None


def session_relay(session_url: str) -> int | None:
    """Return the number of the relay that a session is at; None: the origin."""
    return relay_of(session_url.rpartition("/")[2])


@contextlib.contextmanager
def two_fill_a_worker(capacity: int) -> Iterator[None]:
    """
    Have a stack that starts in this block add one relay to workers with two listeners.

    Args:
        capacity: Of one worker.
    """
    limits = {"from_share": FIRST_LISTENERS / capacity, "most": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARLEY_RELAYS", json.dumps(limits))
        yield


@contextlib.asynccontextmanager
async def relayed_space(
    url: str, frames: Sequence[bytes]
) -> AsyncIterator[RelayedSpace]:
    """
    Open a Space, let two listen, and wait until listeners are sent to a relay.

    Args:
        frames: What the host says over and over, Opus.
    """
    async with contextlib.AsyncExitStack() as opened:
        host = await opened.enter_async_context(Api(url, "rita"))
        space = RelayedSpace(host, await host.open_space("Many ears"), opened)
        joined = await host.join(space.space_id)
        space.room_path = joined["room_url"].removeprefix(host.base_url)
        await until(space.is_served, RELAYED_S)  # a container may take its time
        speaker = LightSpeaker(host, list(frames))
        opened.push_async_callback(speaker.aclose)
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        for number in range(FIRST_LISTENERS):
            await space.listener(f"first{number}")
        await until(space.sends_to_a_relay, RELAYED_S)
        yield space

"""A Space that grows beyond one worker: listeners on a relay, and what befalls it."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import psutil
import pytest
import pytest_asyncio

from media_worker.egress.processes.placement import LISTENERS_PER_PROCESS
from spaces_contract.relays import relay_of
from spaces_contract.roles import PeerKind
from tests import speech
from tests.api import Api
from tests.clients import WhepClient
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.running_stack import RunningStack, running_stack
from tests.similarity import likeness
from tests.worker_process import until

SPEECH = speech.DATA / "austen_cold_hearted.wav"
HEARD_S = 7.0  # more than one loop of the 5.3 s
MIN_WAVEFORM = 0.5  # as in test_talk.py
# A heartbeat, a look of the watchdog, the launch, a heartbeat: 5 + 5 + 2 + 5 s.
RELAYED_S = 60.0
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack in which two listeners are as many as a worker wants."""
    capacity = LISTENERS_PER_PROCESS * (os.cpu_count() or 1)
    limits = {"from_share": 2 / capacity, "most": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARLEY_RELAYS", json.dumps(limits))
        with running_stack(tmp_path_factory.mktemp("relays")) as running:
            yield running


@dataclass
class RelayedSpace:
    """A live Space with a speaker, two listeners at its origin, and a relay."""

    stack: RunningStack
    host: Api
    space_id: str
    opened: contextlib.AsyncExitStack
    room_path: str = ""
    people: dict[str, Api] = field(default_factory=dict)

    async def person(self, handle: str) -> Api:
        """Sign somebody in."""
        api = await self.opened.enter_async_context(Api(self.stack.url, handle))
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

    def relay(self) -> psutil.Process | None:
        """Return the relay's process, if it runs."""
        found = [
            each
            for each in self.stack.workers(self.space_id)
            if each.environ().get("PARLEY_WORKLOAD") == "relay"
            and "media_worker.egress" not in each.cmdline()
        ]
        return found[0] if found else None


@pytest_asyncio.fixture(loop_scope="session")
async def relayed(stack: RunningStack) -> AsyncIterator[RelayedSpace]:
    """Open a Space, let two listen, and wait until listeners are sent to a relay."""
    async with contextlib.AsyncExitStack() as opened:
        host = await opened.enter_async_context(Api(stack.url, "rita"))
        space = RelayedSpace(stack, host, await host.open_space("Many ears"), opened)
        joined = await host.join(space.space_id)
        space.room_path = joined["room_url"].removeprefix(host.base_url)
        speaker = LightSpeaker(host, opus_frames(speech.load(SPEECH)))
        opened.push_async_callback(speaker.aclose)
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        for handle in ("first", "second"):
            await space.listener(handle)
        await until(lambda: _lands_on_the_relay(space), RELAYED_S)
        yield space


async def test_listeners_of_a_relay(relayed: RelayedSpace) -> None:
    """
    They hear the speaker and are counted; who is removed is cut off there too; when the
    relay is killed they find the origin; with the Space all of it ends.
    """
    ears = await relayed.opened.enter_async_context(
        WhepClient(await relayed.person("third"))
    )
    joined = await relayed.people["third"].join(relayed.space_id)
    await ears.connect(joined["whep_url"], joined["grant"])
    heard = await ears.record(HEARD_S)
    assert likeness(heard, speech.load(SPEECH)).waveform >= MIN_WAVEFORM
    assert _relay_of(ears) == 0
    await until(lambda: _counts(relayed, 3))

    fourth = await relayed.listener("fourth")
    await until(lambda: _counts(relayed, 4))
    await fourth.aclose()
    await until(lambda: _counts(relayed, 3))

    await _remove(relayed, "third")
    await until(lambda: ears.pc.connectionState == "closed")
    await until(lambda: _counts(relayed, 2))

    relay = relayed.relay()
    assert relay is not None
    relay.kill()
    psutil.wait_procs([relay], timeout=PATIENCE_S)
    back = await relayed.listener("fifth")
    await asyncio.wait_for(back.heard.wait(), PATIENCE_S)
    assert relay_of(_session_id(back._session_url)) is None

    await relayed.host.call("POST", f"/v1/spaces/{relayed.space_id}/end")
    await until(lambda: not relayed.stack.workers(relayed.space_id))


async def _lands_on_the_relay(space: RelayedSpace) -> bool:
    """Whether whoever comes now is sent to a relay; they leave again."""
    await asyncio.sleep(0.5)
    if space.relay() is None:
        return False
    peer = await space.listener("scout")
    await peer.aclose()
    return relay_of(_session_id(peer._session_url)) is not None


async def _remove(space: RelayedSpace, handle: str) -> None:
    uid = space.people[handle].uid
    path = f"/v1/spaces/{space.space_id}/participants/{uid}"
    await space.host.call("PATCH", path, {"removed": True})


async def _counts(space: RelayedSpace, listeners: int) -> bool:
    return await space.listener_count() == listeners


def _relay_of(client: WhepClient) -> int | None:
    assert client._session is not None
    return relay_of(_session_id(client._session[0]))


def _session_id(url: str) -> str:
    return url.rpartition("/")[2]

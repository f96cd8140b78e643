"""A Space that grows beyond one worker: listeners on a relay, and what befalls it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from functools import partial

import psutil
import pytest
import pytest_asyncio

from media_worker.egress.processes.placement import LISTENERS_PER_PROCESS
from tests import speech
from tests.clients import WhepClient
from tests.hearing import expect_heard
from tests.light_clients import opus_frames
from tests.relayed_space import (
    RelayedSpace,
    relayed_space,
    session_relay,
    two_fill_a_worker,
)
from tests.running_stack import RunningStack, running_stack
from tests.worker_process import until

SPEECH = speech.DATA / "austen_cold_hearted.wav"
HEARD_S = 7.0  # more than one loop of the 5.3 s
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack in which two listeners are as many as a worker wants."""
    capacity = LISTENERS_PER_PROCESS * (os.cpu_count() or 1)
    with (
        two_fill_a_worker(capacity),
        running_stack(tmp_path_factory.mktemp("relays")) as running,
    ):
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def relayed(stack: RunningStack) -> AsyncIterator[RelayedSpace]:
    """A live Space with a speaker, two listeners at its origin, and a relay."""
    frames = opus_frames(speech.load(SPEECH))
    async with relayed_space(stack.url, frames) as space:
        yield space


async def test_listeners_of_a_relay(stack: RunningStack, relayed: RelayedSpace) -> None:
    """
    They hear the speaker and are counted; who is removed is cut off there too; when the
    relay is killed they find the origin; with the Space all of it ends.
    """
    ears = await relayed.opened.enter_async_context(
        WhepClient(await relayed.person("third"))
    )
    joined = await relayed.people["third"].join(relayed.space_id)
    await ears.connect(joined["whep_url"], joined["grant"])
    await expect_heard(partial(ears.record, HEARD_S), speech.load(SPEECH))
    assert _relay_of(ears) == 0
    await until(lambda: _counts(relayed, 3))

    fourth = await relayed.listener("fourth")
    await until(lambda: _counts(relayed, 4))
    await fourth.aclose()
    await until(lambda: _counts(relayed, 3))

    await _remove(relayed, "third")
    await until(lambda: ears.pc.connectionState == "closed")
    await until(lambda: _counts(relayed, 2))

    (relay,) = _relays(stack, relayed.space_id)
    relay.kill()
    psutil.wait_procs([relay], timeout=PATIENCE_S)
    back = await relayed.listener("fifth")
    await asyncio.wait_for(back.heard.wait(), PATIENCE_S)
    assert session_relay(back._session_url) is None

    await relayed.host.call("POST", f"/v1/spaces/{relayed.space_id}/end")
    await until(lambda: not stack.workers(relayed.space_id))


async def _remove(space: RelayedSpace, handle: str) -> None:
    uid = space.people[handle].uid
    path = f"/v1/spaces/{space.space_id}/participants/{uid}"
    await space.host.call("PATCH", path, {"removed": True})


async def _counts(space: RelayedSpace, listeners: int) -> bool:
    return await space.listener_count() == listeners


def _relay_of(client: WhepClient) -> int | None:
    assert client._session is not None
    return session_relay(client._session[0])


def _relays(stack: RunningStack, space_id: str) -> list[psutil.Process]:
    """Return the relays' processes, without those of their egress."""
    return [
        each
        for each in stack.workers(space_id)
        if each.environ().get("PARLEY_WORKLOAD") == "relay"
        and "media_worker.egress" not in each.cmdline()
    ]

"""A relay as a process beside its origin, with what befalls both."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from media_worker.epoch_life import ExitCode
from spaces_contract.relays import relay_of
from spaces_contract.roles import PeerKind
from tests.api import ApiError
from tests.audio import voice
from tests.light_clients import LightPeer, talking
from tests.relay_process import RelayProcess
from tests.worker_process import (
    PATIENCE_S,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)


@dataclass
class RelayedSpace:
    """A live Space in which Ana talks, with its origin and a relay that is fed."""

    documents: SpaceDocuments
    origin: WorkerProcess
    relay: RelayProcess
    opened: contextlib.AsyncExitStack

    async def listener(self, uid: str = "lea") -> LightPeer:
        """Return somebody who hears by the relay."""
        peer = LightPeer(self.relay, PeerKind.WHEP)
        self.opened.push_async_callback(peer.aclose)
        await peer.connect("/whep", uid)
        await asyncio.wait_for(peer.heard.wait(), PATIENCE_S)
        return peer

    def listener_count(self) -> int:
        """Return what everybody sees."""
        count: int = self.origin.room_json()["listener_count"]
        return count


@pytest.fixture
async def relayed(tmp_path: Path) -> AsyncIterator[RelayedSpace]:
    """Run a Firestore, a worker, and a relay of it."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedFirestore(tmp_path / "data"))
        documents = await stack.enter_async_context(
            SpaceDocuments.live(server.host, "ana")
        )
        objects = tmp_path / "objects"
        origin = WorkerProcess(server.host, objects)
        relay = RelayProcess(origin, server.host, objects)
        await relay.place(documents)
        await stack.enter_async_context(origin)
        await stack.enter_async_context(relay)
        await origin.ready(documents)
        await stack.enter_async_context(talking(origin, "ana", voice(2)))
        await relay.ready(documents)
        yield RelayedSpace(documents, origin, relay, stack)


async def test_who_hears_a_relay_is_counted_and_can_be_removed(
    relayed: RelayedSpace,
) -> None:
    """
    Everybody sees them in the Space's count; removal and promotion end their sessions
    there, and a new one is refused with the reason that functions act upon.
    """
    lea, max_ = await relayed.listener(), await relayed.listener("max")
    assert relay_of(lea._session_url) == 0
    await until(lambda: relayed.listener_count() == 2)

    await relayed.documents.put_on_stage("max", role="speaker")
    await relayed.documents.put_on_stage("lea", removed=True, on_stage=False)
    await until_closed(lea)
    await until_closed(max_)

    await until(lambda: relayed.listener_count() == 0)
    for uid, code in (("lea", "removed"), ("max", "worker-stopping")):
        with pytest.raises(ApiError) as refused:
            await relayed.relay.post_sdp("/whep", uid, "v=0")
        assert refused.value.code == code


async def test_a_relay_stops_when_another_epoch_begins(relayed: RelayedSpace) -> None:
    """
    The origin was replaced: its listeners are let go at once.
    """
    lea = await relayed.listener()

    await relayed.documents.space.update({"epoch": 2})

    assert await relayed.relay.exit_code() == ExitCode.NOT_OURS
    await until_closed(lea)


async def test_a_relay_that_is_told_to_go_tells_everybody(
    relayed: RelayedSpace,
) -> None:
    """
    On SIGTERM its listeners are let go, and the origin counts them no more at once.
    """
    lea = await relayed.listener()
    await until(lambda: relayed.listener_count() == 1)

    relayed.relay.terminate()

    assert await relayed.relay.exit_code() == ExitCode.DONE
    await until_closed(lea)
    await until(lambda: relayed.listener_count() == 0)


async def until_closed(peer: LightPeer) -> None:
    """Wait until the worker has told a client that its session is over."""
    await until(lambda: peer.dtls is not None and peer.dtls.state == "closed")

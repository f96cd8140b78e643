"""A worker process against the embedded Firestore, with real WebRTC clients."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from spaces_contract.roles import PeerKind
from spaces_contract.room_state import ROOM_JSON_SCHEMA
from tests.api import ApiError
from tests.audio import voice
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.worker_process import (
    PATIENCE_S,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)


@dataclass
class LiveSpace:
    """A live Space with Ana on stage, and its worker."""

    server: EmbeddedFirestore
    documents: SpaceDocuments
    worker: WorkerProcess

    async def speaker(self, uid: str = "ana") -> LightSpeaker:
        """Return somebody who talks."""
        speaker = LightSpeaker(self.worker, opus_frames(voice(2)))
        await speaker.connect("/whip", uid)
        speaker.start_talking()
        return speaker

    async def listener(self, uid: str = "lea") -> LightPeer:
        """Return somebody who hears."""
        peer = LightPeer(self.worker, PeerKind.WHEP)
        await peer.connect("/whep", uid)
        return peer

    async def metric(self, name: str) -> float:
        """Return one metric."""
        return (await self.worker.metrics())[name]

    async def talking(self) -> None:
        """Wait until room.json shows somebody talking."""
        await until(lambda: self.worker.room_json().get("talking"))


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveSpace]:
    """Run a Firestore and a worker that has claimed the Space."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedFirestore(tmp_path / "data"))
        documents = await stack.enter_async_context(
            SpaceDocuments.live(server.host, "ana")
        )
        worker = await stack.enter_async_context(
            WorkerProcess(server.host, tmp_path / "objects")
        )
        await worker.ready(documents)
        yield LiveSpace(server, documents, worker)


async def test_a_worker_claims_its_epoch_and_reports(live: LiveSpace) -> None:
    """
    The runtime document names the worker's addresses; heartbeats are seen back.
    """
    runtime = await live.documents.runtime_fields()
    assert runtime["control_url"].startswith("http://127.0.0.1:")
    assert runtime["udp_endpoints"][0].startswith("127.0.0.1:")
    assert runtime["worker_id"]

    await until(lambda: _heartbeat_after(live, 1))

    assert await live.metric("knowledge_stale") == 0


async def test_people_are_heard_counted_and_shown(live: LiveSpace) -> None:
    """
    Ana talks, Lea hears; room.json, heartbeat and the Space's count agree.
    """
    ana, lea = await live.speaker(), await live.listener()
    await until(lambda: lea.arrivals.packets > 100)
    shown: list[dict[str, Any]] = []

    def is_all_shown() -> bool:
        room = live.worker.room_json()
        shown.append(room)
        return bool(room["talking"] == ["ana"] and room["listener_count"] == 1)

    await until(is_all_shown)  # who talks pauses where the machine has no time
    jsonschema.validate(shown[-1], ROOM_JSON_SCHEMA)
    assert shown[-1]["stage"][0]["connected"] is True
    await until(lambda: _space_count_is(live, 2))
    runtime = await live.documents.runtime_fields()
    assert runtime["connected_ids"] == ["ana"]
    assert runtime["listener_count"] == 1
    await ana.aclose()
    await lea.aclose()
    await until(lambda: _metric_is(live, "participants", 0))


async def test_who_may_talk_again_is_heard_again(live: LiveSpace) -> None:
    """
    A mute ends when the document says so, and counts again when it says so again.
    """
    ana = await live.speaker()
    await live.talking()
    name = await _speaker_metric(live, "speaker_muted_packets_total")
    received = name.replace("muted_packets", "received")

    await _mute(live, name)
    await live.documents.participant("ana").update({"muted": False})
    taken = await live.metric(received)
    await until(lambda: _metric_over(live, received, taken))
    await _mute(live, name)

    await ana.aclose()


async def test_nothing_of_the_muted_is_taken_as_speech(live: LiveSpace) -> None:
    """
    Once the mute is seen, every packet is dropped before the jitter buffer.
    """
    ana = await live.speaker()
    await live.talking()
    name = await _speaker_metric(live, "speaker_muted_packets_total")
    await _mute(live, name)
    received = await live.metric(name.replace("muted_packets", "received"))
    muted = await live.metric(name)

    await until(lambda: _metric_over(live, name, muted + 25))

    assert await live.metric(name.replace("muted_packets", "received")) == received
    await until(lambda: live.worker.room_json()["talking"] == [])
    await ana.aclose()


async def test_removal_ends_sessions_and_bars_the_way_back(live: LiveSpace) -> None:
    """
    Both of Ana's sessions end; a new one is refused.
    """
    ana, hears = await live.speaker(), await live.listener("ana")
    await until(lambda: _metric_is(live, 'sessions{kind="whip"}', 1))

    await live.documents.put_on_stage("ana", removed=True, on_stage=False)
    await until(lambda: _metric_is(live, "participants", 0))

    with pytest.raises(ApiError) as refused:
        await live.listener("ana")
    assert refused.value.code == "removed"
    await ana.aclose()
    await hears.aclose()


async def test_only_people_on_stage_may_send(live: LiveSpace) -> None:
    """
    WHIP of a listener is refused; once promoted, it is taken without a restart.
    """
    with pytest.raises(ApiError) as refused:
        await live.speaker("bo")
    assert refused.value.code == "not-on-stage"

    await live.documents.put_on_stage("bo")
    bo = await live.speaker("bo")

    await live.talking()
    await bo.aclose()


async def test_the_end_of_the_space_ends_the_worker(live: LiveSpace) -> None:
    """
    It exits with 0, room.json says "ended", the runtime says "stopped".
    """
    lea = await live.listener()

    await live.documents.space.update({"state": "ended"})

    assert await live.worker.exit_code() == 0
    assert live.worker.room_json()["state"] == "ended"
    assert (await live.documents.runtime_fields())["state"] == "stopped"
    await lea.aclose()


async def test_sigint_drains(live: LiveSpace) -> None:
    """
    Exit code 0, state "stopped", nobody counted any more.
    """
    ana, lea = await live.speaker(), await live.listener()

    live.worker.interrupt()

    assert await live.worker.exit_code() == 0
    runtime = await live.documents.runtime_fields()
    assert runtime["state"] == "stopped"
    assert runtime["participant_count"] == 0
    await ana.aclose()
    await lea.aclose()


async def test_a_higher_epoch_stops_the_old_worker(live: LiveSpace) -> None:
    """
    It exits with 3 and writes nothing more: the new epoch's documents are untouched.
    """
    await live.documents.start(epoch=2)

    assert await live.worker.exit_code() == 3
    assert await live.documents.runtime_fields() == {"epoch": 2, "state": "launching"}


async def test_an_epoch_is_claimed_once(live: LiveSpace, tmp_path: Path) -> None:
    """
    A second worker of the same epoch exits with 3; the first goes on.
    """
    first = await live.documents.runtime_fields()
    async with WorkerProcess(live.server.host, tmp_path / "other") as second:
        assert await second.exit_code() == 3

    assert (await live.documents.runtime_fields())["worker_id"] == first["worker_id"]
    assert live.worker.process.returncode is None


async def test_a_stale_fence_of_our_own_is_found_again(live: LiveSpace) -> None:
    """
    Functions touched the runtime document in our epoch: heartbeats go on.
    """
    await live.documents.runtime.update({"launched_at": "again"})
    sequence = (await live.documents.runtime_fields())["heartbeat_seq"]

    await until(lambda: _heartbeat_after(live, sequence))

    assert live.worker.process.returncode is None


async def test_an_outage_of_firestore_is_survived(live: LiveSpace) -> None:
    """
    Killed and started again: audio never stops, and a mute afterwards is obeyed.
    """
    ana, lea = await live.speaker(), await live.listener()
    await live.talking()

    await live.server.kill()
    for _ in range(3):
        await _another_second_of_audio(lea)
    await live.server.start()
    sequence = (await _eventually_runtime(live))["heartbeat_seq"]
    await until(lambda: _heartbeat_after(live, sequence))
    await live.documents.participant("ana").update({"muted": True})
    name = await _speaker_metric(live, "speaker_muted_packets_total")
    await until(lambda: _metric_over(live, name, 0))
    await _another_second_of_audio(lea)

    assert await live.metric("knowledge_stale") == 0
    await ana.aclose()
    await lea.aclose()


async def test_a_worker_waits_for_firestore(tmp_path: Path) -> None:
    """
    Launched while Firestore is away, it claims as soon as that is back.
    """
    async with EmbeddedFirestore(tmp_path / "data") as server:
        documents = SpaceDocuments(server.host)
        await documents.start()
        await server.kill()
        async with WorkerProcess(server.host, tmp_path / "objects") as worker:
            await asyncio.sleep(2)
            await server.start()
            await worker.ready(documents)
            worker.terminate()
            assert await worker.exit_code() == 0
        documents.client.close()


async def test_a_wrong_environment_is_told_in_one_line(tmp_path: Path) -> None:
    """
    Exit code 2, before anything is claimed.
    """
    worker = WorkerProcess("127.0.0.1:1", tmp_path)
    worker._env["PARLEY_EPOCH"] = "none"
    async with worker:
        assert await worker.exit_code() == 2


async def _mute(live: LiveSpace, name: str) -> None:
    """Mute Ana, and wait until the worker drops a packet of hers."""
    before = await live.metric(name)
    await live.documents.participant("ana").update({"muted": True})
    await until(lambda: _metric_over(live, name, before))


async def _another_second_of_audio(peer: LightPeer) -> None:
    """Wait until somebody has been sent as much more."""
    wanted = peer.arrivals.packets + 50
    await until(lambda: peer.arrivals.packets >= wanted)


async def _space_count_is(live: LiveSpace, count: int) -> bool:
    space = (await live.documents.space.get()).to_dict()
    return bool(space["participant_count"] == count)


async def _heartbeat_after(live: LiveSpace, sequence: int) -> bool:
    fields = await live.documents.runtime_fields()
    return bool(fields["heartbeat_seq"] > sequence)


async def _eventually_runtime(live: LiveSpace) -> dict[str, int]:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(Exception):  # the server is just coming back
                return await live.documents.runtime_fields()
            await asyncio.sleep(0.1)


async def _metric_is(live: LiveSpace, name: str, value: float) -> bool:
    return await live.metric(name) == value


async def _metric_over(live: LiveSpace, name: str, value: float) -> bool:
    return await live.metric(name) > value


async def _speaker_metric(live: LiveSpace, name: str) -> str:
    metrics = await live.worker.metrics()
    return next(key for key in metrics if key.startswith(name))

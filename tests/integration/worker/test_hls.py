"""A worker's HLS, by a player that polls as players do."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from spaces_contract import paths
from spaces_contract.hls import key_number
from tests.api import ApiError
from tests.audio import rms, voice
from tests.hls_player import HlsPlayer, delays_s
from tests.light_clients import LightSpeaker, opus_frames
from tests.worker_process import (
    SPACE,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)

SAID = voice(2)


@dataclass
class LiveEdge:
    """A live Space with Ana talking, and its objects."""

    server: EmbeddedFirestore
    documents: SpaceDocuments
    objects: Path
    worker: WorkerProcess

    def player(self, uid: str = "lea") -> HlsPlayer:
        """Return a player that has its keys from whichever worker there is."""
        folder = self.objects / paths.live_edge(SPACE)

        def fetch(name: str) -> bytes | None:
            file = folder / name
            return file.read_bytes() if file.is_file() else None

        async def fetch_key(epoch: int, number: int) -> bytes:
            assert epoch == self.worker.epoch
            return await self.worker.hls_key(uid, number)

        return HlsPlayer(fetch, fetch_key)

    async def listens(self, uid: str = "lea") -> bool:
        """Announce a listener; whether there is something to play."""
        try:
            await self.worker.listen_by_hls(uid)
        except ApiError as error:
            if error.status != 503:
                raise
            return False
        return True

    @contextlib.asynccontextmanager
    async def relaunched(self) -> AsyncIterator[None]:
        """Kill the worker, and run another in the next epoch."""
        self.worker.process.kill()
        await self.worker.process.wait()
        epoch = self.worker.epoch + 1
        await self.documents.space.update({"epoch": epoch})
        await self.documents.runtime.set({"epoch": epoch, "state": "launching"})
        async with WorkerProcess(
            self.server.host, self.objects, epoch=epoch
        ) as self.worker:
            await self.worker.ready(self.documents)
            yield


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[LiveEdge]:
    """Run a worker on whose stage Ana talks."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedFirestore(tmp_path / "data"))
        documents = SpaceDocuments(server.host)
        stack.callback(documents.client.close)
        await documents.start()
        await documents.put_on_stage("ana", role="host")
        objects = tmp_path / "objects"
        worker = await stack.enter_async_context(WorkerProcess(server.host, objects))
        await worker.ready(documents)
        api: Any = worker  # signs for itself: a grant is the uid
        speaker = LightSpeaker(api, opus_frames(SAID))
        stack.push_async_callback(speaker.aclose)
        await speaker.connect("/whip", "ana")
        speaker.start_talking()
        yield LiveEdge(server, documents, objects, worker)


async def follow(player: HlsPlayer, segments: int) -> None:
    """Play so many segments more."""
    wanted = len(player.heard) + segments
    async with asyncio.timeout(segments * 4 + 10):
        await player.follow(until=lambda: len(player.heard) >= wanted)


async def test_a_listener_hears_the_stage(live: LiveEdge) -> None:
    """
    What is said on stage is heard by HLS, without a session; the listener is counted.
    """
    await until(live.listens)
    player = live.player()

    await follow(player, 6)

    # How well it is heard is for unit tests: here the machine may be busy.
    assert rms(player.sound[-96_000:]) > 0.3 * rms(SAID)
    assert player.missing == 0
    assert min(delays_s(player.heard)) < 2
    assert live.worker.room_json()["hls_key"]["n"] == key_number(time.time())
    assert (await live.worker.metrics())["hls_listeners"] == 1


async def test_a_player_that_stays_on_survives_a_crash(live: LiveEdge) -> None:
    """
    After kill -9 the relaunched worker goes on with the playlist by itself: higher
    numbers, another key, a discontinuity; nobody announces anything again.
    """
    await until(live.listens)
    player = live.player()
    await follow(player, 4)
    before = player.heard[-1].listed

    async with live.relaunched():
        await follow(player, 3)

    after = player.heard[-1].listed
    assert after.number > before.number
    assert after.stretch > before.stretch
    assert (before.uri[:2], after.uri[:2]) == ("1/", "2/")


async def test_a_removed_listener_gets_no_other_key(live: LiveEdge) -> None:
    """
    Their next key request is refused, and their next announcement.
    """
    await until(live.listens)
    number = key_number(time.time())
    await live.worker.hls_key("lea", number)

    await live.documents.put_on_stage("lea", on_stage=False, removed=True)

    async def refused() -> bool:
        try:
            await live.worker.hls_key("lea", number)
        except ApiError as error:
            return error.status == 403
        return False

    await until(refused)
    with pytest.raises(ApiError) as announced:
        await live.worker.listen_by_hls("lea")
    assert announced.value.status == 403


async def test_the_end_is_told_and_keys_are_gone(live: LiveEdge) -> None:
    """
    When the Space ends, so does the playlist; with the process its keys are gone.
    """
    await until(live.listens)
    player = live.player()
    await follow(player, 3)

    await live.documents.space.update({"state": "ended"})
    code = await live.worker.exit_code()
    await follow(player, 1)

    assert code == 0
    assert player.playlist is not None
    assert player.playlist.ended
    stored = [path for path in live.objects.rglob("*") if path.is_file()]
    keys = player.keys
    assert not any(key in path.read_bytes() for path in stored for key in keys)


async def test_a_store_that_is_gone_leaves_the_room_alone(live: LiveEdge) -> None:
    """
    With its folder in the way, HLS refuses listeners and the room goes on; when there
    is a folder again, so is HLS.
    """
    await until(live.listens)
    folder = live.objects / "live"
    folder.rename(live.objects / "away")
    folder.write_text("in the way")

    async def troubled() -> bool:
        metrics = await live.worker.metrics()
        return metrics["hls_lost_segments_total"] > 0 and not metrics["hls_playable"]

    await until(troubled)
    skipped = (await live.worker.metrics())["skipped_blocks_total"]
    folder.unlink()
    await until(live.listens)

    assert (await live.worker.metrics())["skipped_blocks_total"] - skipped < 50
    player = live.player()
    await follow(player, 3)

"""A worker's HLS, by a player that polls as players do."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from spaces_contract import paths
from spaces_contract.hls import PLAYLIST_CACHE, PLAYLIST_TYPE, key_number
from spaces_contract.media import BLOCK_SAMPLES
from spaces_contract.roles import PeerKind
from tests.api import ApiError
from tests.audio import rms, voice
from tests.faulty_s3 import Fault, FaultyS3
from tests.hls_player import HlsPlayer, delays_s
from tests.hls_rules import read
from tests.light_clients import LightPeer, talking
from tests.worker_process import (
    PATIENCE_S,
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

    async def lost_segments(self) -> float:
        """Return how many segments the store did not take."""
        return (await self.worker.metrics())["hls_lost_segments_total"]

    async def has_lost_since(self, before: float) -> bool:
        """Whether there are more."""
        return await self.lost_segments() > before

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
    async with a_live_edge(tmp_path) as live:
        yield live


@contextlib.asynccontextmanager
async def a_live_edge(
    tmp_path: Path, *, settings: Mapping[str, str] | None = None
) -> AsyncIterator[LiveEdge]:
    """Run a worker with more settings, on whose stage Ana talks."""
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(EmbeddedFirestore(tmp_path / "data"))
        documents = await stack.enter_async_context(
            SpaceDocuments.live(server.host, "ana")
        )
        objects = tmp_path / "objects"
        worker = WorkerProcess(server.host, objects, settings=settings)
        await stack.enter_async_context(worker)
        await worker.ready(documents)
        live = LiveEdge(server, documents, objects, worker)
        await stack.enter_async_context(talking(worker, "ana", SAID))
        yield live


async def follow(player: HlsPlayer, segments: int) -> None:
    """Play so many segments more."""
    wanted = len(player.heard) + segments
    async with asyncio.timeout(segments * 4 + PATIENCE_S):
        await player.follow(until=lambda: len(player.heard) >= wanted)


async def test_a_listener_hears_the_stage(live: LiveEdge) -> None:
    """
    What is said on stage is heard by HLS, without a session; the listener is counted.
    """
    began_s = time.time()
    await until(live.listens)
    player = live.player()

    await follow(player, 6)

    # How well it is heard is for unit tests: here the machine may be busy.
    assert rms(player.sound[-96_000:]) > 0.3 * rms(SAID)
    assert player.missing == 0
    assert min(delays_s(player.heard)) > 0  # nothing is dated before it was said
    told = live.worker.room_json()["hls_key"]["n"]
    assert key_number(began_s) <= told <= key_number(time.time())
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
        async with asyncio.timeout(PATIENCE_S):
            await player.follow(
                until=lambda: player.heard[-1].listed.uri.startswith("2/")
            )

    after = player.heard[-1].listed
    assert after.number > before.number
    assert after.stretch > before.stretch
    assert before.uri.startswith("1/")


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


# A machine that is busy skips blocks by itself, now more, now less; a mix that waited
# for the store would skip nearly all, each time.
NOISE = 2
TRIES = 5


class Ears:
    """Keeps what somebody gets by WebRTC, packet by packet."""

    def __init__(self, peer: LightPeer) -> None:
        self._log = peer.rtp_log = []

    async def share_while(self, happens: Callable[[], Awaitable[object]]) -> float:
        """
        Return the share of blocks that came while something happened, and 2 s longer.

        By their own time stamps: what the mix skipped is missing, and what was lost.
        """
        first = len(self._log)
        await happens()
        enough = len(self._log) + 100
        await until(lambda: len(self._log) >= enough)
        stamps = [int.from_bytes(packet[4:8]) for packet in self._log[first:]]
        since = {(stamp - stamps[0]) % 2**32 // BLOCK_SAMPLES for stamp in stamps}
        return len(since) / (max(since) + 1)


async def test_a_store_in_trouble_leaves_the_room_alone(tmp_path: Path) -> None:
    """
    A store that hangs for 10 s, refuses or is full costs HLS its segments, which
    are counted; who hears by WebRTC misses no more of it than by a store that is well;
    then HLS goes on by itself.
    """
    async with contextlib.AsyncExitStack() as stack:
        store = await stack.enter_async_context(FaultyS3())
        live = await stack.enter_async_context(
            a_live_edge(tmp_path, settings=store.settings)
        )
        peer = LightPeer(live.worker, PeerKind.WHEP)
        stack.push_async_callback(peer.aclose)
        await peer.connect("/whep", "bo")
        ears = Ears(peer)
        enough = await ears.share_while(partial(until, live.listens)) / NOISE
        for fault in (Fault.HANGS, Fault.REFUSES, Fault.FULL):
            store.fault = fault
            shares = [await _share_of_losing(live, ears)]
            while shares[-1] <= enough and len(shares) < TRIES:
                shares.append(await _share_of_losing(live, ears))
            assert shares[-1] > enough, (fault, enough, shares)
        store.fault = Fault.NONE
        await until(live.listens)

        playlist = read(store.objects[paths.playlist_object(SPACE)].decode())
        assert playlist.segments
        assert store.kinds[paths.playlist_object(SPACE)] == (
            PLAYLIST_TYPE,
            PLAYLIST_CACHE,
        )


async def _share_of_losing(live: LiveEdge, ears: Ears) -> float:
    """Return the share of blocks that came while HLS lost a segment."""
    lost = await live.lost_segments()
    return await ears.share_while(partial(until, partial(live.has_lost_since, lost)))

"""A real worker records over WebRTC, is killed, and goes on under the next epoch."""

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from media_worker.recording.opening import Stores
from spaces_contract import paths
from spaces_contract.recording import GapReason, RecordingState
from spaces_contract.recording_render import RenderState
from spaces_contract.roles import PeerKind
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.similarity import likeness
from tests.speech import DATA, load
from tests.stems import (
    RECORDING,
    a_job,
    pages_below,
    recording_settings,
    render,
    rendered_manifest,
    rendered_sound,
    stem_of,
    stores_in,
)
from tests.worker_process import (
    PATIENCE_S,
    SPACE,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)

SPOOLED_S = 1.5  # far longer than what is said waits to be written
# Two readings: of the same one the echo guard would think its part.
SAID, OTHER = (load(path)[:96_000] for path in sorted(DATA.glob("*.wav")))


class RecordedSpace:
    """A Space with Ana and Bo on stage, of whom Ana consents."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self._stack = stack
        self.began_at_ms = time.time_ns() // 1_000_000

    async def start(self) -> None:
        """Start a Firestore, with the Space's documents."""
        self.firestore = await self._stack.enter_async_context(
            EmbeddedFirestore(self.folder / "data")
        )
        self.documents = SpaceDocuments(self.firestore.host)
        self._stack.callback(self.documents.client.close)
        await self.documents.start()
        for uid in ("ana", "bo"):
            await self.documents.put_on_stage(uid)
        await self.desire(RecordingState.RECORDING, "ana")

    async def desire(self, state: RecordingState, *consenting: str) -> None:
        """Write what is to be recorded, as functions do."""
        document: Any = self.documents.client.document(paths.runtime_recording(SPACE))
        await document.set(
            {
                "recording_id": RECORDING,
                "state": state.value,
                "version": 1,
                "began_at_ms": self.began_at_ms,
                "notice_version": "2026-01",
                "consents": {uid: {"stem": stem_of(uid)} for uid in consenting},
            }
        )

    async def worker(self, epoch: int) -> WorkerProcess:
        """Start the worker of an epoch; return once it has that."""
        worker = await self._stack.enter_async_context(
            WorkerProcess(
                self.firestore.host,
                self.folder / "live",
                epoch=epoch,
                settings=recording_settings(self.folder),
            )
        )
        await worker.ready(self.documents)
        return worker

    async def talk(self, worker: Any, *uids: str) -> list[LightSpeaker]:
        """Let people talk until the room hears all of them."""
        speakers = []
        for uid in uids:
            speaker = LightSpeaker(worker, opus_frames(SAID if uid == "ana" else OTHER))
            await speaker.connect("/whip", uid)
            speaker.start_talking()
            self._stack.push_async_callback(speaker.aclose)
            speakers.append(speaker)
        await until(lambda: set(worker.room_json().get("talking", ())) == set(uids))
        return speakers

    async def listen(self, worker: Any, uid: str) -> LightPeer:
        """Return somebody who hears."""
        listener = LightPeer(worker, PeerKind.WHEP)
        await listener.connect("/whep", uid)
        self._stack.push_async_callback(listener.aclose)
        await asyncio.wait_for(listener.heard.wait(), PATIENCE_S)
        return listener

    def spooled_bytes(self, epoch: int) -> int:
        """Return how much lies in the spool of an epoch."""
        paths_here = pages_below(self.folder / "spool")
        return sum(
            Path(path).stat().st_size for path in paths_here if f"/{epoch}/" in path
        )

    @property
    def stores(self) -> Stores:
        """What is there, as a render sees it."""
        return stores_in(self.folder)


async def test_a_killed_worker_is_followed_by_another_and_nothing_else_is_lost(
    tmp_path: Path,
) -> None:
    """
    Two epochs make one recording of Ana alone, with the crash as a labelled gap.
    """
    async with AsyncExitStack() as stack:
        space = RecordedSpace(tmp_path, stack)
        await space.start()
        first = await space.worker(1)
        await space.talk(first, "ana", "bo")
        await until(lambda: first.room_json()["recording_state"] == "recording")
        assert first.room_json()["recording_notice_version"] == "2026-01"
        await until(lambda: space.spooled_bytes(1) > 8_000)
        first.process.kill()
        await first.process.wait()

        await space.documents.space.update({"epoch": 2})
        await space.documents.runtime.set({"epoch": 2, "state": "launching"})
        second = await space.worker(2)
        await space.talk(second, "ana", "bo")
        await until(lambda: space.spooled_bytes(2) > 8_000)
        await space.documents.space.update({"state": "ended"})
        assert await second.exit_code() == 0

    progress = await asyncio.to_thread(render, space.stores, a_job("ana"))
    manifest = rendered_manifest(space.stores)

    assert progress.state is RenderState.DONE
    assert progress.partial
    assert [stem.uid for stem in manifest.stems] == ["ana"]
    # Bo talks to the end: what was not checked for echoes by then is left out.
    lost, *unchecked = [gap.reason for gap in manifest.gaps]
    assert lost is GapReason.WORKER_LOST
    assert set(unchecked) <= {GapReason.ECHO, GapReason.UNCHECKED}
    sound = rendered_sound(space.stores)[manifest.gaps[0].to_ms * 48 :]
    assert likeness(sound, SAID).waveform > 0.8
    assert likeness(sound, OTHER).waveform < 0.5
    assert not any(stem_of("bo") in path for path in pages_below(tmp_path))


async def test_a_worker_that_leaves_is_relieved_and_no_word_is_lost(
    tmp_path: Path,
) -> None:
    """
    On SIGTERM it serves and records until a successor has the epoch; then everybody is
    let go, and two epochs make one recording without a gap.
    """
    async with AsyncExitStack() as stack:
        space = RecordedSpace(tmp_path, stack)
        await space.start()
        first = await space.worker(1)
        (ana,) = await space.talk(first, "ana")
        lea = await space.listen(first, "lea")

        first.terminate()
        await until(lambda: _is_leaving(space))
        max_ = await space.listen(first, "max")  # the door is open still
        assert (await space.documents.runtime_fields())["state"] == "ready"
        asked = {"epoch": 2, "asked_at": datetime.now(UTC)}
        await space.documents.runtime.update({"successor": asked})
        ends = asyncio.gather(
            *(_epoch_at_end(peer, space) for peer in (ana, lea, max_))
        )
        second = await space.worker(2)

        assert await asyncio.wait_for(ends, PATIENCE_S) == [2, 2, 2]
        assert await first.exit_code() == 0
        assert "successor" not in await space.documents.runtime_fields()
        assert (await space.documents.space.get()).get("epoch") == 2
        await space.talk(second, "ana")
        await until(lambda: space.spooled_bytes(2) > 8_000)
        await space.documents.space.update({"state": "ended"})
        assert await second.exit_code() == 0

    progress = await asyncio.to_thread(render, space.stores, a_job("ana"))
    manifest = rendered_manifest(space.stores)

    assert (progress.state, progress.partial) == (RenderState.DONE, False)
    assert manifest.gaps == ()


async def _is_leaving(space: RecordedSpace) -> bool:
    return bool((await space.documents.runtime_fields())["leaving"])


async def _epoch_at_end(peer: LightPeer, space: RecordedSpace) -> int:
    """Return which worker had the Space when a session was ended."""
    await peer.wait_closed()
    return int((await space.documents.runtime_fields())["epoch"])


async def _standing_still(space: RecordedSpace) -> int:
    """Wait until what was said before is on disk, and nothing more comes."""
    before = -1
    async with asyncio.timeout(PATIENCE_S):
        while before != (now := space.spooled_bytes(1)):
            before = now
            await asyncio.sleep(SPOOLED_S)
    return before


async def test_a_mute_a_demotion_and_a_withdrawal_reach_the_recording(
    tmp_path: Path,
) -> None:
    """
    A client that goes on sending is not recorded once Firestore says that it may not.
    """
    async with AsyncExitStack() as stack:
        space = RecordedSpace(tmp_path, stack)
        await space.start()
        worker = await space.worker(1)
        await space.talk(worker, "ana", "bo")
        await until(lambda: space.spooled_bytes(1) > 4_000)

        await space.documents.put_on_stage("ana", muted=True)
        await until(lambda: worker.room_json().get("talking") == ["bo"])
        muted_at = await _standing_still(space)

        await space.documents.put_on_stage("ana", muted=False)
        await until(lambda: space.spooled_bytes(1) > muted_at)
        await space.desire(RecordingState.RECORDING)
        await until(lambda: not pages_below(tmp_path))
        await until(lambda: "ana" in worker.room_json()["talking"])  # live as before
        await asyncio.sleep(1.5)
        assert not pages_below(tmp_path)

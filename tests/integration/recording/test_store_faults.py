"""A store that refuses, is slow, or loses a machine: what a recording makes of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import obstore
import pytest

from media_worker.recording.epoch_recording import FORMER_S
from media_worker.recording.journal import Journal
from media_worker.recording.settling import wait_settled
from media_worker.recording.spool import Spool
from media_worker.recording.uploads import Uploads
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording import GapReason, RecordingId
from spaces_contract.recording_objects import StemObject, journal
from spaces_contract.recording_render import RenderState
from tests.audio import similarity, voice
from tests.room_doubles import TurnedClock
from tests.stems import (
    RECORDING,
    Stage,
    a_job,
    files_below,
    pages_below,
    render,
    rendered_manifest,
    rendered_sound,
    stem_of,
    stores_in,
)

SAID = voice(1)


async def talked(stage: Stage, *, times: int = 1) -> None:
    """Let Ana talk for so many seconds, recorded."""
    stage.desire("ana", on_stage={"ana": False})
    await stage.keyed(1)
    for _ in range(times):
        await stage.talk({"ana": SAID})


async def test_a_store_that_refuses_costs_nothing_but_time(tmp_path: Path) -> None:
    """
    What cannot be stored waits in the spool, in order, until the store takes it.
    """
    stage = Stage(tmp_path)
    await talked(stage)
    objects = tmp_path / "objects"
    objects.rmdir()
    objects.write_text("not a folder")
    await stage.clock.advance(10)
    for _ in range(3):
        await stage.recorder.flush()
        await stage.recorder.upload()
        await stage.clock.advance(4)
    await talked(stage)
    kept = pages_below(tmp_path / "spool")

    objects.unlink()
    objects.mkdir()
    await stage.finish()
    progress = render(stage.stores, a_job("ana"))

    assert len(kept) == 2
    assert pages_below(tmp_path / "spool") == []
    assert (progress.state, progress.partial) == (RenderState.DONE, False)


async def test_a_slow_store_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    With 10 s for each put, packets are taken and pages closed as ever; all arrives.
    """
    stage, put = Stage(tmp_path), obstore.put_async

    async def slow_put(*arguments: Any, **named: Any) -> Any:
        await stage.clock.sleep_until(stage.clock.now_s() + 10)
        return await put(*arguments, **named)

    await talked(stage, times=0)  # her key is stored in time
    monkeypatch.setattr(obstore, "put_async", slow_put)
    running = asyncio.ensure_future(stage.recorder.run())
    await talked(stage, times=12)
    spooled = len(pages_below(tmp_path / "spool"))
    running.cancel()
    await stage.finish()

    assert 0 < spooled <= 3  # one that grows, one or two on their way
    assert render(stage.stores, a_job("ana")).duration_ms == pytest.approx(
        12_000, abs=30
    )


async def test_a_copy_of_the_journal_that_is_slow_does_not_undo_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What was on its way when the worker ended arrives before the last word, not after.
    """
    stage, put = Stage(tmp_path), obstore.put_async
    begun, let = asyncio.Event(), asyncio.Event()

    async def held_put(store: Any, name: str, data: bytes) -> Any:
        if name.endswith("journal.json") and not Journal.from_bytes(data).closed:
            begun.set()
            await let.wait()
        return await put(store, name, data)

    await talked(stage)
    await stage.recorder.flush()
    monkeypatch.setattr(obstore, "put_async", held_put)
    copying = asyncio.ensure_future(stage.recorder.upload())
    await begun.wait()
    finishing = asyncio.ensure_future(stage.finish())
    await asyncio.wait([finishing], timeout=0.5)  # it may wait for the copy, or not
    let.set()
    await asyncio.gather(copying, finishing)
    name = journal(RECORDING, 1, 1)
    stored = bytes(obstore.get(stage.stores.objects, name).bytes())

    assert Journal.from_bytes(stored).closed


async def test_a_full_spool_is_a_gap_and_no_crash(tmp_path: Path) -> None:
    """
    What neither disk nor store takes is missing, labelled; what came before plays.
    """
    stage = Stage(tmp_path)
    limited = replace(stage.stores, spool=Spool(tmp_path / "spool", limit_bytes=12_000))
    stage.use(limited)
    await talked(stage, times=4)
    await stage.finish()
    progress = render(stage.stores, a_job("ana"))
    (gap,) = rendered_manifest(stage.stores).gaps

    assert progress.partial
    assert (gap.reason.value, gap.uid) == ("store-lost", "ana")
    assert 1_000 < gap.from_ms < 3_000 < gap.to_ms
    assert similarity(SAID, rendered_sound(stage.stores)[:48_000]) > 0.9


async def test_a_render_waits_for_the_worker_to_be_done(tmp_path: Path) -> None:
    """
    It begins once the last epoch is closed, or its worker has been silent for 20 s.
    """
    stage = Stage(tmp_path)
    await talked(stage)
    await stage.recorder.flush()
    job = replace(a_job("ana"), began_at_ms=stage.began_at_ms)
    slept: list[float] = []
    at_s = stage.began_at_ms / 1_000

    def now() -> datetime:
        return datetime.fromtimestamp(at_s + sum(slept), UTC)

    assert wait_settled(job, stage.stores, now=now, sleep=slept.append)
    assert 19 < sum(slept) < 23
    stands = datetime.fromtimestamp(at_s, UTC)
    assert not wait_settled(job, stage.stores, now=lambda: stands, sleep=lambda _: None)

    await stage.finish()
    slept.clear()
    assert wait_settled(job, stage.stores, now=now, sleep=slept.append)
    assert slept == []


async def test_a_render_waits_for_whoever_was_relieved(tmp_path: Path) -> None:
    """
    The last epoch is closed, and the one before it still stores what it took.
    """
    clock = TurnedClock()
    former, last = (Stage(tmp_path, epoch=n, clock=clock) for n in (1, 2))
    await talked(former)
    await talked(last)
    await former.recorder.flush()
    await last.finish()
    job = replace(a_job("ana"), began_at_ms=former.began_at_ms)

    def settled() -> bool:
        return wait_settled(job, last.stores, now=clock.utc, sleep=lambda _: None)

    assert not settled()
    await former.finish()
    assert settled()


async def test_two_workers_of_one_machine_leave_each_others_files_alone(
    tmp_path: Path,
) -> None:
    """
    A successor begins while the one before it writes, and that one ends while the
    successor does: no file is stored half done, and all that was said is there.
    """
    clock = TurnedClock()
    first, second = (Stage(tmp_path, epoch=n, clock=clock) for n in (1, 2))
    await talked(first)
    second.desire("ana", on_stage={"ana": False})
    await second.keyed(1)
    await second.recorder.upload()
    await first.talk({"ana": SAID})
    await second.talk({"ana": SAID})
    await first.finish()
    spooled = pages_below(tmp_path / "spool")
    await clock.advance(5.0)  # a pause, however long `first` took
    await second.talk({"ana": SAID})
    await second.finish()
    progress = await asyncio.to_thread(render, second.stores, a_job("ana"))
    manifest = await asyncio.to_thread(rendered_manifest, second.stores)

    assert ["/2/" in path for path in spooled] == [True]
    assert pages_below(tmp_path / "spool") == []
    assert (progress.state, progress.partial) == (RenderState.DONE, False)
    said_s = sum(end - start for start, end in manifest.stems[0].heard) / 1_000
    assert said_s == pytest.approx(4.0, abs=0.5)


async def test_what_a_dead_worker_left_is_stored_by_the_next(tmp_path: Path) -> None:
    """
    But not before.
    """
    clock = TurnedClock()
    dead, alive = (Stage(tmp_path, epoch=n, clock=clock) for n in (1, 2))
    await talked(dead)
    alive.desire("ana", on_stage={"ana": False})
    await alive.keyed(1)
    await alive.recorder.upload()
    early = pages_below(tmp_path / "spool")
    dead.die()
    await alive.recorder.upload()

    assert len(early) == 1
    assert pages_below(tmp_path / "spool") == []


async def test_who_does_not_tell_that_they_live_is_given_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A worker from before there were locks stores what it took itself, as it goes.
    """
    monkeypatch.setattr(Spool, "hold", lambda *_: None)
    clock = TurnedClock()
    former, successor = (Stage(tmp_path, epoch=n, clock=clock) for n in (1, 2))
    await talked(former)
    successor.desire("ana", on_stage={"ana": False})
    await successor.keyed(1)
    await successor.recorder.upload()
    early = pages_below(tmp_path / "spool")
    await clock.advance(FORMER_S)
    await successor.recorder.upload()

    assert len(early) == 1
    assert pages_below(tmp_path / "spool") == []


async def test_what_a_dead_worker_left_is_stored_where_the_next_soon_ends(
    tmp_path: Path,
) -> None:
    clock = TurnedClock()
    dead, last = (Stage(tmp_path, epoch=n, clock=clock) for n in (1, 2))
    await talked(dead)
    last.desire("ana", on_stage={"ana": False})
    await last.keyed(1)
    await last.talk({"ana": SAID})
    dead.die()
    await last.finish()

    assert pages_below(tmp_path / "spool") == []
    assert list((tmp_path / "spool").rglob("*.lock")) == []


async def test_a_lost_machine_is_a_gap_from_what_it_had_stored(tmp_path: Path) -> None:
    """
    What lay in its spool only is missing, and the gap says so from the first of it.
    """
    stage = Stage(tmp_path)
    await talked(stage, times=9)
    await stage.recorder.upload()
    elsewhere = stores_in(tmp_path, spool="elsewhere")
    await asyncio.to_thread(render, elsewhere, a_job("ana"))
    manifest = await asyncio.to_thread(rendered_manifest, elsewhere)
    (gap,) = manifest.gaps

    assert gap.reason is GapReason.WORKER_LOST
    assert 7_000 < gap.from_ms <= manifest.duration_ms + 20
    assert gap.to_ms == pytest.approx(9_000, abs=50)


async def test_what_is_said_while_a_journal_is_copied_is_not_told_as_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Were the machine lost then, all of it would be missing.
    """
    stage, waiting = Stage(tmp_path), Uploads.waiting
    looks = 0

    async def talking(uploads: Uploads, recording_id: RecordingId) -> list[str]:
        nonlocal looks
        looks += 1
        if looks == 2:  # for the copy, after what is complete was stored
            await stage.talk({"ana": SAID})
        return await waiting(uploads, recording_id)

    await talked(stage, times=0)
    await stage.recorder.flush()
    monkeypatch.setattr(Uploads, "waiting", talking)
    await stage.recorder.upload()
    name = journal(RECORDING, 1, 1)
    stored = bytes(obstore.get(stage.stores.objects, name).bytes())

    assert looks == 2
    assert Journal.from_bytes(stored).kept < SAMPLE_RATE_HZ // 10


async def test_who_ends_first_leaves_alone_what_another_still_writes(
    tmp_path: Path,
) -> None:
    """
    A Space that ends right after it went over: nothing of the former's file is lost.
    """
    clock = TurnedClock()
    former, last = (Stage(tmp_path, epoch=n, clock=clock) for n in (1, 2))
    await talked(former)
    last.desire("ana", on_stage={"ana": False})
    await last.keyed(1)
    await last.finish()
    await former.talk({"ana": SAID})
    await former.finish()
    await asyncio.to_thread(render, last.stores, a_job("ana"))
    manifest = await asyncio.to_thread(rendered_manifest, last.stores)

    assert pages_below(tmp_path / "spool") == []
    said_s = sum(end - start for start, end in manifest.stems[0].heard) / 1_000
    assert said_s >= 1.7  # of 2 s


async def test_who_is_done_writes_nothing_more(tmp_path: Path) -> None:
    """
    A worker that was relieved closes pages until it ends; none of it is of that epoch.
    """
    stage = Stage(tmp_path)
    await talked(stage)
    await stage.finish()
    await stage.clock.advance(1)
    await stage.recorder.flush()

    assert files_below(tmp_path / "spool") == {}


async def test_what_grows_is_asked_after_the_look(tmp_path: Path) -> None:
    """
    A file that was begun while the spool was looked through is not stored half done.
    """
    stage = Stage(tmp_path)
    asked: list[str] = []

    class WatchedSpool(Spool):
        def names(self, recording_id: RecordingId) -> list[str]:
            found = super().names(recording_id)
            asked.append("look")
            return found

    def growing(found: list[str]) -> set[str]:
        asked.append("ask")
        return set(found)

    spool = WatchedSpool(tmp_path / "spool")
    spool.append(a_page_file(), b"half a file")
    storage = replace(stage.stores, spool=spool).storage(stage.clock)
    await storage.uploads.run(RECORDING, growing=growing)

    assert asked == ["look", "ask"]
    assert pages_below(tmp_path / "objects") == []


def a_page_file() -> str:
    """Return the name of Ana's first object."""
    return StemObject(
        recording_id=RECORDING, version=1, epoch=1, stem=stem_of("ana"), seq=0
    ).name

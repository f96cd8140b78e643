"""A worker that is asked to leave: until when it stays, and what it says of itself."""

import asyncio

import pytest

from media_worker.epoch_life import ExitCode
from media_worker.room.room_end import RoomEnd
from tests.room_doubles import settle
from tests.served_epoch import RUNTIME_PATH, RunningLife, a_live_space


async def test_who_leaves_says_so_at_once_and_serves_on() -> None:
    """
    The next heartbeat is now; the state stays ready, so that all goes on.
    """
    async with RunningLife(a_live_space()) as worker:
        worker.life.leave()
        await settle()

        assert (worker.firestore.runtime["leaving"], worker.life.is_ready) == (
            True,
            True,
        )
        assert worker.firestore.runtime["state"] == "ready"
        assert not worker.room.ended.done()


async def test_who_is_relieved_leaves_the_document_alone() -> None:
    """
    It ends well, and says nothing: the document is the successor's.
    """
    async with RunningLife(a_live_space()) as worker:
        worker.life.leave()
        await settle()
        worker.firestore.documents[RUNTIME_PATH] = {"epoch": 2, "state": "ready"}
        worker.life.epoch_lost(relieved=True)
        code = await worker.running

    assert (code, worker.room.ended.result()) == (ExitCode.DONE, RoomEnd.RELIEVED)
    assert not worker.life.holds
    assert worker.firestore.runtime == {"epoch": 2, "state": "ready"}


async def test_nobody_comes_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The Space is served until patience ends, and not a second longer.
    """
    monkeypatch.setattr("media_worker.epoch_life.RELIEF_PATIENCE_S", 9)
    async with RunningLife(a_live_space()) as worker:
        worker.life.leave()
        await worker.clock.advance(8)
        waiting = not worker.room.ended.done()
        await worker.clock.advance(1.1)

        assert waiting
        assert worker.room.ended.result() is RoomEnd.WORKER_STOPPING


async def test_asked_twice_it_goes() -> None:
    """
    Whoever insists is not kept waiting.
    """
    async with RunningLife(a_live_space()) as worker:
        for _ in range(2):
            worker.life.leave()

        assert worker.room.ended.result() is RoomEnd.WORKER_STOPPING


async def test_without_firestore_there_is_nobody_to_ask() -> None:
    """
    A worker that has not heard from Firestore for 15 s leaves at once.
    """
    async with RunningLife(a_live_space()) as worker:
        await worker.clock.advance(16)  # the stream says nothing
        worker.life.leave()

        assert worker.room.ended.result() is RoomEnd.WORKER_STOPPING


async def test_the_last_report_is_waited_for_longer_than_peers_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A busy Firestore hears that the worker has stopped, and nobody looks for it.
    """
    monkeypatch.setattr("media_worker.epoch_life.DRAINING_PATIENCE_S", 0.01)
    async with RunningLife(a_live_space()) as worker:
        worker.firestore.answers = asyncio.Event()
        worker.life.stop()
        async with asyncio.timeout(60):
            while worker.firestore.runtime["state"] != "stopped":  # noqa: ASYNC110 - a report sets no event
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.05)  # beyond what peers wait
        waits = not worker.running.done()
        worker.firestore.answers.set()

        assert (waits, await worker.running) == (True, ExitCode.DONE)

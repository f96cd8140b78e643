"""A worker that claims its epoch: what is lost meanwhile, and who takes over."""

import asyncio
from collections.abc import Callable
from typing import cast

import pytest

from media_worker.epoch_life import CLAIM_PATIENCE_S, EpochLife, ExitCode
from media_worker.firestore_link.claim import ClaimRefused, claim_epoch
from media_worker.firestore_link.connection import Firestore
from spaces_contract.runtime import HEARTBEAT_STALE_S
from tests.room_doubles import settle
from tests.served_epoch import (
    SPACE_PATH,
    RunningLife,
    ScriptedFirestore,
    a_claim,
    a_live_space,
    a_space_to_take_over,
)


async def test_who_is_asked_to_leave_while_it_claims_serves_on() -> None:
    """
    Its commit may be through, and nobody else is there: it says that it leaves, and
    stays until another takes over.
    """
    firestore = a_space_to_take_over()
    firestore.answers = asyncio.Event()
    async with RunningLife(firestore, epoch=3) as worker:
        worker.life.leave()
        await settle()
        firestore.answers.set()
        await settle(40)

        assert worker.life.is_ready
        assert not worker.room.ended.done()
        assert (firestore.runtime["epoch"], firestore.runtime["leaving"]) == (3, True)


async def test_who_is_stopped_while_it_claims_says_so() -> None:
    """
    The watchdog launches another at its next look, and does not wait for a heartbeat.
    """
    firestore = a_space_to_take_over()
    firestore.answers = asyncio.Event()
    async with RunningLife(firestore, epoch=3) as worker:
        worker.life.stop()
        await settle()
        firestore.answers.set()
        code = await worker.running

    assert code is ExitCode.DONE
    assert (firestore.runtime["epoch"], firestore.runtime["state"]) == (3, "stopped")


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a claim be tried again at once."""
    monkeypatch.setattr("media_worker.epoch_life.CLAIM_RETRY_S", 0)


@pytest.mark.usefixtures("no_pause")
async def test_whose_claims_answer_is_lost_finds_that_it_has_to_leave() -> None:
    """
    The claim was through, and only its answer was lost when the worker was asked to go:
    it serves on, and says that it leaves, so that a successor is asked for at once.
    """
    firestore = a_space_to_take_over()
    firestore.answers, firestore.loses = asyncio.Event(), "answer"
    async with RunningLife(firestore, epoch=3) as worker:
        worker.life.leave()
        await settle()
        firestore.answers.set()
        await settle(60)

        assert worker.life.is_ready
        assert (firestore.runtime["epoch"], firestore.runtime["leaving"]) == (3, True)


@pytest.mark.usefixtures("no_pause")
async def test_whose_claims_answer_is_lost_says_that_it_has_stopped() -> None:
    """
    Nobody waits for heartbeats of a worker that was stopped at that moment.
    """
    firestore = a_space_to_take_over()
    firestore.answers, firestore.loses = asyncio.Event(), "answer"
    async with RunningLife(firestore, epoch=3) as worker:
        worker.life.stop()
        await settle()
        firestore.answers.set()
        code = await asyncio.wait_for(worker.running, 60)

    assert code is ExitCode.DONE
    assert (firestore.runtime["epoch"], firestore.runtime["state"]) == (3, "stopped")


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("end", [EpochLife.leave, EpochLife.stop])
async def test_whose_claim_was_lost_does_not_claim_again(
    end: Callable[..., None],
) -> None:
    """
    Asked to go while the commit was on its way, which never came: it takes nothing.
    """
    firestore = a_space_to_take_over()
    firestore.answers, firestore.loses = asyncio.Event(), "commit"
    before = {name: dict(fields) for name, fields in firestore.documents.items()}
    async with RunningLife(firestore, epoch=3) as worker:
        end(worker.life)
        firestore.answers.set()
        code = await asyncio.wait_for(worker.running, 60)

    assert (code, firestore.documents) == (ExitCode.DONE, before)


@pytest.mark.usefixtures("no_pause")
async def test_who_cannot_find_out_whether_it_claimed_goes_in_the_end() -> None:
    """
    After 15 s the watchdog has seen that nobody is there: there is nothing left to do.
    """
    firestore = a_space_to_take_over()
    firestore.answers, firestore.loses = asyncio.Event(), "answer"
    async with RunningLife(firestore, epoch=3) as worker:
        worker.life.stop()
        firestore.answers.set()
        firestore.is_down = True
        await worker.clock.advance(14)
        waited = not worker.running.done()
        await worker.clock.advance(1.1)
        code = await asyncio.wait_for(worker.running, 60)

    assert (waited, code) == (True, ExitCode.DONE)


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("end", [EpochLife.leave, EpochLife.stop])
async def test_who_never_reached_firestore_goes_at_once(
    end: Callable[..., None],
) -> None:
    """
    Nothing was committed whose answer could be lost.
    """
    firestore = a_space_to_take_over()
    firestore.is_down = True
    async with RunningLife(firestore, epoch=3) as worker:
        end(worker.life)
        code = await asyncio.wait_for(worker.running, 60)

    assert code is ExitCode.DONE


@pytest.mark.usefixtures("no_pause")
async def test_who_goes_does_not_crash_for_want_of_patience() -> None:
    """
    A commit whose answer is lost as patience ends is asked for, and then let go.
    """
    firestore = a_space_to_take_over()
    firestore.answers, firestore.loses = asyncio.Event(), "answer"
    async with RunningLife(firestore, epoch=3) as worker:
        await worker.clock.advance(CLAIM_PATIENCE_S + 1)
        worker.life.stop()
        firestore.is_down = True
        firestore.answers.set()
        await settle(40)
        await worker.clock.advance(HEARTBEAT_STALE_S + 1)
        code = await asyncio.wait_for(worker.running, 60)

    assert code is ExitCode.DONE


@pytest.mark.parametrize("end", [EpochLife.leave, EpochLife.stop])
async def test_who_has_not_claimed_yet_leaves_it(end: Callable[..., None]) -> None:
    """
    The worker that is there goes on; the one that was to come ends well.
    """
    firestore = a_space_to_take_over()
    firestore.reads = asyncio.Event()
    before = {name: dict(fields) for name, fields in firestore.documents.items()}
    async with RunningLife(firestore, epoch=3) as worker:
        end(worker.life)
        firestore.reads.set()
        code = await asyncio.wait_for(worker.running, 60)

    assert (code, firestore.documents) == (ExitCode.DONE, before)


async def test_a_successor_takes_epoch_and_document_over() -> None:
    """
    One commit raises the Space's epoch; nothing of what the one before said is left.
    """
    firestore = a_space_to_take_over()

    await claim_epoch(cast(Firestore, firestore), a_claim(3))

    assert firestore.documents[SPACE_PATH]["epoch"] == 3
    assert firestore.documents[SPACE_PATH]["title"] == "Talk"
    assert (firestore.runtime["epoch"], firestore.runtime["state"]) == (3, "ready")
    assert not {"capacity", "leaving", "successor"} & firestore.runtime.keys()


@pytest.mark.parametrize(
    "firestore",
    [
        a_live_space(state="ready"),  # nobody asked
        a_live_space(state="ready", successor={"epoch": 3}),  # for another, by now
        a_live_space(space_epoch=2, successor={"epoch": 4}),  # the Space moved on
    ],
)
async def test_who_was_not_asked_takes_nothing_over(
    firestore: ScriptedFirestore,
) -> None:
    """
    The document and the epoch stay as they are.
    """
    before = {name: dict(fields) for name, fields in firestore.documents.items()}

    with pytest.raises(ClaimRefused):
        await claim_epoch(cast(Firestore, firestore), a_claim(4))

    assert firestore.documents == before

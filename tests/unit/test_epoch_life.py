"""A worker that is asked to leave: until when it stays, and what it says of itself."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata

from media_worker.epoch_life import CLAIM_PATIENCE_S, EpochLife, ExitCode
from media_worker.firestore_link.claim import Claim, ClaimRefused, claim_epoch
from media_worker.firestore_link.connection import Firestore
from media_worker.firestore_link.documents import decode, document
from media_worker.firestore_link.protocol import Document, Write
from media_worker.room.ports import DesiredState, Presence
from media_worker.room.room_end import RoomEnd
from spaces_contract import paths
from spaces_contract.runtime import HEARTBEAT_STALE_S, WorkerState
from tests.room_doubles import TurnedClock, settle

SPACE = "1nKxoPQrsTUvw"
SPACE_PATH, RUNTIME_PATH = paths.space(SPACE), paths.runtime_worker(SPACE)


def a_claim(epoch: int = 1) -> Claim:
    """Return what the worker of an epoch writes."""
    return Claim(
        space_id=SPACE,
        epoch=epoch,
        worker_id=f"worker-{epoch}",
        control_url="http://worker",
        udp_endpoints=(),
    )


@dataclass
class ScriptedFirestore:
    """Documents in memory; a Listen stream on which nothing ever comes."""

    database: str = "db"
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    reads: asyncio.Event | None = None  # what is asked waits for it
    answers: asyncio.Event | None = None  # what was written is told then
    is_down: bool = False
    loses: str = ""  # "answer" or "commit": of the next one

    def name(self, path: str) -> str:
        """Return the path itself."""
        return path

    async def begin(self) -> bytes:
        """Begin, if it can be reached."""
        if self.is_down:
            raise unavailable()
        return b"transaction"

    async def rollback(self, transaction: bytes) -> None:
        """Give up."""

    async def read(self, names: Any, *, transaction: Any = None) -> dict[str, Document]:
        """Return what there is."""
        await _passed(self.reads)
        known = self.documents
        return {n: Document(document(n, known[n])) for n in names if n in known}

    async def commit(self, writes: list[Write], *, transaction: Any = None) -> Any:
        """Take fields over, or the whole where no mask is given."""
        lost, self.loses = self.loses, ""
        for write in writes if lost != "commit" else ():
            fields = decode(Document.pb(write.update))
            name = write.update.name
            masked = bool(write.update_mask.field_paths)
            before = self.documents.get(name, {}) if masked else {}
            self.documents[name] = before | fields
        await _passed(self.answers)
        if lost:
            raise unavailable()

    async def listen(self, requests: Any) -> Any:
        """Wait for ever."""
        await asyncio.Event().wait()
        yield None

    @property
    def runtime(self) -> dict[str, Any]:
        """What everybody sees of the worker."""
        return self.documents[RUNTIME_PATH]


def unavailable() -> AioRpcError:
    """Return what a call raises whose answer does not come."""
    return AioRpcError(StatusCode.UNAVAILABLE, Metadata(), Metadata(), "", "")


async def _passed(gate: asyncio.Event | None) -> None:
    if gate is not None:
        await gate.wait()


def a_live_space(*, space_epoch: int = 1, **runtime: Any) -> ScriptedFirestore:
    """Return a live Space whose runtime waits for a worker, or has these fields."""
    fields = {"epoch": 1, "state": "launching"} | runtime
    return ScriptedFirestore(
        documents={
            SPACE_PATH: {"state": "live", "epoch": space_epoch, "title": "Talk"},
            RUNTIME_PATH: fields,
        }
    )


class ServedRoom:
    """What is served; returns as soon as it is ended."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[RoomEnd] = asyncio.get_running_loop().create_future()

    def end(self, reason: RoomEnd) -> None:
        """Take the first reason."""
        if not self.ended.done():
            self.ended.set_result(reason)

    def apply(self, desired: DesiredState) -> None:
        """Take a state."""

    def presence(self, state: WorkerState) -> Presence:
        """Report that somebody is there."""
        return Presence(
            state=state,
            listener_count=1,
            hls_listener_count=0,
            capacity=10,
            participant_count=1,
            connected_ids=(),
        )


class RunningLife:
    """An epoch's life in a task."""

    def __init__(self, firestore: ScriptedFirestore, *, epoch: int = 1) -> None:
        self.firestore = firestore
        self.epoch = epoch
        self.clock = TurnedClock()
        self.room = ServedRoom()
        self.life = EpochLife(cast(Firestore, firestore), self.room, clock=self.clock)

    async def __aenter__(self) -> "RunningLife":
        async def serve() -> RoomEnd:
            return await self.room.ended

        serving = asyncio.ensure_future(serve())
        self.running = asyncio.ensure_future(
            self.life.run(a_claim(self.epoch), serving)
        )
        await settle(40)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.life.stop()
        await self.running


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


def a_space_to_take_over() -> ScriptedFirestore:
    """Return one whose worker leaves, and for which worker 3 was asked."""
    asked = {"epoch": 3, "asked_at": "now"}
    return a_live_space(
        state="ready", worker_id="worker-1", capacity=10, leaving=True, successor=asked
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

"""An epoch that something is served for, in Firestore that does as it is told."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

from grpc import StatusCode
from grpc.aio import AioRpcError, Metadata

from media_worker.epoch_life import EpochLife
from media_worker.firestore_link.claim import Claim
from media_worker.firestore_link.connection import Firestore
from media_worker.firestore_link.documents import decode, document
from media_worker.firestore_link.protocol import Document, Write
from media_worker.room.ports import DesiredState, Presence
from media_worker.room.room_end import RoomEnd
from spaces_contract import paths
from spaces_contract.runtime import WorkerState
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


def a_space_to_take_over() -> ScriptedFirestore:
    """Return one whose worker leaves, and for which worker 3 was asked."""
    asked = {"epoch": 3, "asked_at": "now"}
    return a_live_space(
        state="ready", worker_id="worker-1", capacity=10, leaving=True, successor=asked
    )

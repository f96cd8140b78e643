"""A link tells of a Space as of one moment, and knows when it may be behind."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any, cast

from media_worker.firestore_link.claim import Claim
from media_worker.firestore_link.connection import Firestore
from media_worker.firestore_link.documents import document
from media_worker.firestore_link.link import FirestoreLink, Watched
from media_worker.firestore_link.protocol import (
    ListenRequest,
    ListenResponse,
    TargetChange,
    Write,
)
from media_worker.room.ports import DesiredState, Presence
from spaces_contract.runtime import (
    HEARTBEAT_INTERVAL_S,
    HEARTBEAT_STALE_S,
    WorkerState,
)
from tests.room_doubles import TurnedClock, settle

CLAIM = Claim(
    space_id="space",
    epoch=1,
    worker_id="me",
    control_url="http://worker",
    udp_endpoints=(),
)
ChangeType = TargetChange.TargetChangeType
CONSISTENT = ListenResponse(
    target_change={
        "target_change_type": ChangeType.NO_CHANGE,
        "read_time": {"seconds": 1},
    }
)
BO = {"uid": "bo", "role": "speaker", "muted": False}


def shown(target: Watched, name: str, **fields: Any) -> ListenResponse:
    """Return the news of a document that matches a target."""
    return ListenResponse(
        document_change={"document": document(name, fields), "target_ids": [target]}
    )


def gone(target: Watched, name: str) -> ListenResponse:
    """Return the news of a document that matches a target no more."""
    return ListenResponse(
        document_remove={"document": name, "removed_target_ids": [target]}
    )


def current(targets: Iterable[Watched]) -> ListenResponse:
    """Return the news that targets were sent as a whole."""
    return ListenResponse(
        target_change={
            "target_change_type": ChangeType.CURRENT,
            "target_ids": list(targets),
        }
    )


class ScriptedFirestore:
    """Takes every write, sends on each stream what the test says."""

    database = "db"

    def __init__(self) -> None:
        self.streams: list[asyncio.Queue[ListenResponse]] = []
        self.added: list[list[int]] = []

    def name(self, path: str) -> str:
        """Return the path itself."""
        return path

    async def commit(self, writes: list[Write]) -> Any:
        """Take a heartbeat."""
        return None

    async def listen(
        self, requests: AsyncIterator[ListenRequest]
    ) -> AsyncIterator[ListenResponse]:
        """Note the four targets, then send."""
        added = [await anext(requests) for _ in Watched]
        self.added.append([request.add_target.target_id for request in added])
        stream: asyncio.Queue[ListenResponse] = asyncio.Queue()
        self.streams.append(stream)
        while True:
            yield await stream.get()

    async def send(self, *messages: ListenResponse) -> None:
        """Send on the newest stream."""
        for message in messages:
            self.streams[-1].put_nowait(message)
        await settle()


class RunningLink:
    """A link in a task; it is its own `LinkEvents`."""

    def __init__(self) -> None:
        self.firestore = ScriptedFirestore()
        self.clock = TurnedClock()
        self.told: list[DesiredState] = []
        self.lost = self.relieved = False
        self.link = FirestoreLink(
            cast(Firestore, self.firestore),
            CLAIM,
            fence=None,
            presence=lambda: Presence(
                hls_listener_count=0,
                capacity=100,
                state=WorkerState.READY,
                listener_count=0,
                participant_count=0,
                connected_ids=(),
            ),
            events=self,
            clock=self.clock,
        )

    def desired_changed(self, desired: DesiredState) -> None:
        """Note a desired state."""
        self.told.append(desired)

    def epoch_lost(self, *, relieved: bool) -> None:
        """Note the loss."""
        self.lost, self.relieved = True, relieved

    async def __aenter__(self) -> "RunningLink":
        self._running = asyncio.ensure_future(self.link.run())
        await settle()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])

    async def begin(self, targets: Iterable[Watched] = Watched) -> None:
        """Show a live Space with Bo on stage, in full for these targets."""
        await self.firestore.send(
            shown(Watched.SPACE, "space", state="live", epoch=1),
            shown(Watched.RUNTIME, "worker", epoch=1, worker_id="me"),
            shown(Watched.STAGE, "bo", **BO),
            current(targets),
            CONSISTENT,
        )

    async def echo(self, sequence: int) -> None:
        """Show the worker one of its heartbeats."""
        runtime = {"epoch": 1, "worker_id": "me", "heartbeat_seq": sequence}
        await self.firestore.send(
            shown(Watched.RUNTIME, "worker", **runtime), CONSISTENT
        )


async def test_a_removal_is_told_whole() -> None:
    """
    One commit takes somebody off the stage and removes them: they are never told to
    be off the stage alone, in whatever order the queries say it.
    """
    async with RunningLink() as running:
        await running.begin()
        await running.firestore.send(
            gone(Watched.STAGE, "bo"),
            shown(Watched.REMOVED, "bo", **BO),
            CONSISTENT,
        )

    assert [(list(d.stage), sorted(d.removed)) for d in running.told] == [
        (["bo"], []),
        ([], ["bo"]),
    ]


async def test_one_stream_carries_all_targets() -> None:
    """
    Four targets on one stream: a moment of the stream is a moment of them all.
    """
    async with RunningLink() as running:
        await running.begin()

    assert running.firestore.added == [sorted(Watched)]


async def test_an_echo_counts_only_with_all_targets() -> None:
    """
    Heartbeats come back while the removals hang: knowledge is stale after 15 s, and
    the watch is built anew.
    """
    hanging = set(Watched) - {Watched.REMOVED}
    async with RunningLink() as running:
        await running.begin(hanging)
        for sequence in range(2, 6):
            await running.echo(sequence - 1)
            await running.clock.advance(HEARTBEAT_STALE_S / 3)
        await running.clock.advance(1)

        assert running.link.knowledge_stale
        assert running.link.rebuilds == 1
    assert running.told == []


async def test_echoes_keep_the_watch() -> None:
    """
    As long as heartbeats come back with everything else, nothing is rebuilt, and what
    is desired is told once.
    """
    async with RunningLink() as running:
        await running.begin()
        for sequence in range(1, 9):
            await running.echo(sequence)
            await running.clock.advance(5.0)

        assert not running.link.knowledge_stale
    assert running.link.rebuilds == 0
    assert len(running.told) == 1


async def test_another_worker_in_the_document_is_the_end() -> None:
    """
    Nothing of what a successor's Space desires is told.
    """
    async with RunningLink() as running:
        await running.begin()
        await running.firestore.send(
            shown(Watched.SPACE, "space", state="live", epoch=2),
            shown(Watched.RUNTIME, "worker", epoch=2, worker_id="other"),
            CONSISTENT,
        )

    assert (running.lost, running.relieved) == (True, False)
    assert len(running.told) == 1


async def test_a_successor_that_serves_relieves() -> None:
    """
    Until everybody went over, what they want is told: a withdrawal counts at once.
    """
    async with RunningLink() as running:
        await running.begin()
        await running.firestore.send(
            shown(Watched.SPACE, "space", state="live", epoch=2),
            shown(Watched.RUNTIME, "worker", epoch=2, worker_id="other", state="ready"),
            CONSISTENT,
        )

    assert (running.lost, running.relieved) == (True, True)
    assert [told.epoch for told in running.told] == [1, 2]


async def test_a_heartbeat_can_be_hurried() -> None:
    """
    What others wait for is written at once, and the next one comes in its time.
    """
    async with RunningLink() as running:
        await running.clock.advance(1)
        before = running.link.heartbeat_age_s
        running.link.report_soon()
        await settle()

        assert (before, running.link.heartbeat_age_s) == (1.0, 0.0)
        await running.clock.advance(HEARTBEAT_INTERVAL_S)
        assert running.link.heartbeat_age_s == 0.0

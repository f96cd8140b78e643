"""A relay's room: who may hear there, what they hear, and what the origin is told."""

import asyncio
from dataclasses import replace
from typing import Self

import pytest

from media_worker.audio.frames import EncodedFrame
from media_worker.relay.relay_room import RelayRoom
from media_worker.room.ports import DesiredState, SessionRefused
from media_worker.room.room_end import RoomEnd
from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.relays import RelayReport, relay_of
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.runtime import WorkerState
from tests.room_doubles import FakeEndpoint, TurnedClock, a_member, desired, settle

URL = "http://10.0.0.8:9000"
CAPACITY = 3
LEA, BO = UserId("lea"), UserId("bo")
FRAME = EncodedFrame(
    payload=b"opus",
    timestamp=960,
    duration_samples=960,
    csrcs=(),
    levels_dbov=(),
)


class RunningRelay:
    """A relay's room in a task, with its doubles."""

    def __init__(self) -> None:
        self.clock = TurnedClock()
        self.endpoint = FakeEndpoint()
        self.room = RelayRoom(
            epoch=1,
            index=4,
            endpoint=self.endpoint,
            capacity=CAPACITY,
            clock=self.clock,
        )
        self.endpoint.events = self.room
        self.running = asyncio.ensure_future(self.room.run())

    async def __aenter__(self) -> Self:
        await settle()
        self.room.apply(desired(a_member("ana")))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.running.cancel()
        await asyncio.wait([self.running])

    async def listen(self, user_id: UserId, *, grant_id: str = "grant") -> SessionId:
        """Open a session and let it connect."""
        session_id, _ = await self.room.doorway.open(
            "offer", user_id=user_id, kind=PeerKind.WHEP, grant_id=grant_id
        )
        self.room.session_connected(session_id)
        return session_id

    async def refused(self, user_id: str, kind: PeerKind = PeerKind.WHEP) -> str:
        """Try to open a session; return why that is refused."""
        with pytest.raises(SessionRefused) as refused:
            await self.room.doorway.open(
                "offer", user_id=UserId(user_id), kind=kind, grant_id="grant"
            )
        return refused.value.code

    @property
    def report(self) -> RelayReport:
        """What the origin is told while the mix comes."""
        return self.room.report(URL, fed=True)


async def test_listeners_hear_what_the_origin_sent() -> None:
    """
    A frame of the feed goes to all who are connected; sessions tell whose they are.
    """
    async with RunningRelay() as relay:
        sessions = [await relay.listen(LEA), await relay.listen(BO)]
        relay.room.play(FRAME, 0.001)

    assert [relay.endpoint.heard[each] for each in sessions] == [[FRAME], [FRAME]]
    assert {relay_of(session_id) for session_id in sessions} == {4}


async def test_the_origin_is_told_how_many_hear_and_how_well() -> None:
    """
    Two of three lose packets; where no mix comes nobody shall be sent here.
    """
    async with RunningRelay() as relay:
        sessions = [await relay.listen(UserId(f"listener{n}")) for n in range(3)]
        relay.endpoint.lost = dict(zip(sessions, (0.01, 0.06, 0.1), strict=True))
        told, unfed = relay.report, relay.room.report(URL, fed=False)

    assert replace(told, arrived=()) == RelayReport(
        control_url=URL, listeners=3, capacity=CAPACITY, lossy=2, loss_percent=10
    )
    assert (unfed.listeners, unfed.capacity) == (3, 0)


async def test_the_origin_is_told_of_each_arrival_until_it_has_heard() -> None:
    """
    Once the report was taken, not again; who has left meanwhile is not told of.
    """
    async with RunningRelay() as relay:
        await relay.listen(LEA)
        first = await relay.listen(BO)
        lost, again = relay.report, relay.report
        await relay.room.doorway.leave(first, user_id=BO, grant_id="grant")
        left = relay.report
        relay.room.reported(left)
        heard = relay.report

    assert lost.arrived == again.arrived == (LEA, BO)
    assert (left.arrived, heard.arrived) == ((LEA,), ())


async def test_the_stage_belongs_to_the_origin() -> None:
    """
    Who is on stage, or wants to talk, is refused with what sends them there; who is
    brought on stage is let go for the same reason.
    """
    async with RunningRelay() as relay:
        session_id = await relay.listen(LEA)
        async with asyncio.timeout(60):
            on_stage = await relay.refused("ana")
            talking = await relay.refused("bo", PeerKind.WHIP)
        relay.room.apply(desired(a_member("ana"), a_member("lea")))
        await settle()

    assert on_stage == ControlError.WORKER_STOPPING
    assert talking in {ControlError.WORKER_STOPPING, ControlError.NOT_ON_STAGE}
    assert relay.endpoint.closed[0] == (session_id, PeerCloseReason.WORKER_STOPPING)


async def test_the_removed_leave_and_stay_out() -> None:
    """
    At once, also who was let in while they were being removed.
    """
    async with RunningRelay() as relay:
        session_id = await relay.listen(LEA)
        removed = replace(desired(a_member("ana")), removed=frozenset({LEA, BO}))
        opening = asyncio.ensure_future(relay.refused("bo"))
        await asyncio.sleep(0)
        relay.room.apply(removed)
        late = await opening
        again = await relay.refused("lea")
        await settle()
        counted = relay.report.listeners

    assert (session_id, PeerCloseReason.REMOVED) in relay.endpoint.closed
    assert {late, again} == {ControlError.REMOVED}
    assert counted == 0


async def test_a_full_relay_takes_only_who_is_there() -> None:
    """
    Another device of somebody's takes the place of the first, which is told so.
    """
    async with RunningRelay() as relay:
        first = await relay.listen(LEA, grant_id="phone")
        for number in range(CAPACITY - 1):
            await relay.listen(UserId(f"listener{number}"))
        full = await relay.refused("one-more")
        second = await relay.listen(LEA, grant_id="desk")
        with pytest.raises(SessionRefused) as gone:
            await relay.room.doorway.leave(first, user_id=LEA, grant_id="phone")
        await relay.room.doorway.leave(second, user_id=LEA, grant_id="desk")
        left = relay.report.listeners

    assert full == ControlError.WORKER_FULL
    assert gone.value.code is ControlError.SESSION_REPLACED
    assert left == CAPACITY - 1


async def test_nobody_closes_anothers_session() -> None:
    """
    Neither by another grant nor as another person; an offer that fails leaves nothing.
    """
    async with RunningRelay() as relay:
        session_id = await relay.listen(LEA)
        for user_id, grant_id in ((BO, "grant"), (LEA, "other")):
            with pytest.raises(SessionRefused):
                await relay.room.doorway.leave(
                    session_id, user_id=user_id, grant_id=grant_id
                )
        with pytest.raises(SessionRefused):
            await relay.room.doorway.open(
                "bad", user_id=BO, kind=PeerKind.WHEP, grant_id="grant"
            )

        assert relay.room.presence(WorkerState.READY).listener_count == 1
        assert len(relay.room.book) == 1


@pytest.mark.parametrize(
    ("state", "end", "reason"),
    [
        (desired(live=False), RoomEnd.SPACE_ENDED, PeerCloseReason.SPACE_ENDED),
        (desired(epoch=2), RoomEnd.SUPERSEDED, PeerCloseReason.WORKER_STOPPING),
    ],
)
async def test_it_ends_with_its_space_or_its_epoch(
    state: DesiredState, end: RoomEnd, reason: PeerCloseReason
) -> None:
    """
    Listeners are told why, and nobody is let in any more.
    """
    async with RunningRelay() as relay:
        session_id = await relay.listen(LEA)
        relay.room.apply(state)
        await settle()
        for _ in range(10):
            await relay.clock.advance(0.1)
        ended = await relay.running
        refused = await relay.refused("bo")

    assert ended is end
    assert relay.endpoint.closed == [(session_id, reason)]
    assert refused == ControlError.WORKER_STOPPING

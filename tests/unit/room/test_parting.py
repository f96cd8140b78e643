"""Who is let go when."""

import asyncio

import pytest

from media_worker.room.parting import TAKEN_IN_PER_S, let_go
from media_worker.room.room_end import RoomEnd
from media_worker.room.session_book import Session
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind
from tests.room_doubles import TurnedClock, settle

LISTENERS = [f"ear{n}" for n in range(5)]


def sessions(*users: str) -> list[Session]:
    """Return a session of each, of which the user's name is the id."""
    return [
        Session(
            session_id=SessionId(user),
            user_id=UserId(user),
            kind=PeerKind.WHEP,
            grant_id="",
        )
        for user in users
    ]


class Closings:
    """Notes who is closed when, since the clock's beginning."""

    def __init__(self) -> None:
        self.clock = TurnedClock(0.0)
        self.at_s: dict[str, float] = {}
        self.reasons: set[PeerCloseReason] = set()

    async def close(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Note one."""
        self.at_s[session_id] = self.clock.now_s()
        self.reasons.add(reason)

    def begin(self, end: RoomEnd, *users: str) -> "asyncio.Task[None]":
        """Let all go, Ana first."""
        going = let_go(
            sessions(*users),
            self.close,
            end=end,
            clock=self.clock,
            first={UserId("ana")},
        )
        return asyncio.ensure_future(going)


async def test_a_relieved_room_lets_its_listeners_go_one_by_one() -> None:
    """
    The stage goes at once, and listeners no faster than they can be taken in.
    """
    closings = Closings()
    parting = closings.begin(RoomEnd.RELIEVED, *LISTENERS, "ana")

    await closings.clock.advance(1.0)
    await parting

    assert closings.at_s.pop("ana") == 0
    assert list(closings.at_s) == LISTENERS
    assert list(closings.at_s.values()) == pytest.approx(
        [n / TAKEN_IN_PER_S for n in range(5)]
    )
    assert closings.reasons == {PeerCloseReason.WORKER_STOPPING}


@pytest.mark.parametrize("end", [e for e in RoomEnd if e is not RoomEnd.RELIEVED])
async def test_any_other_end_is_everybodys_at_once(end: RoomEnd) -> None:
    """
    Where nobody is there to take them in, there is nothing to wait for.
    """
    closings = Closings()
    parting = closings.begin(end, *LISTENERS, "ana")
    await settle()

    assert parting.done()
    assert set(closings.at_s.values()) == {0}
    assert len(closings.at_s) == 6


async def test_one_that_does_not_close_holds_up_nobody(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is left open, and the room ends.
    """
    monkeypatch.setattr("media_worker.room.parting.CLOSE_ALL_S", 0)

    async def hang(session_id: SessionId, reason: PeerCloseReason) -> None:
        await asyncio.Event().wait()

    await let_go(sessions("lea"), hang, end=RoomEnd.SPACE_ENDED, clock=TurnedClock())

    assert "session left open" in caplog.text

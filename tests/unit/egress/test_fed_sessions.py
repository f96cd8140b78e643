"""What one egress process is sent of a tick."""

import pytest

from media_worker.audio.frames import EncodedFrame
from media_worker.egress.processes.fed_sessions import FedSessions
from media_worker.egress.processes.feed import MAX_TURNS
from media_worker.room.ports import FULL_MIX, LONG_MIX
from spaces_contract.ids import SessionId

ONE, TWO = SessionId("one"), SessionId("two")
FRAME = EncodedFrame(payload=b"x", timestamp=0, duration_samples=960)
FRAMES = {FULL_MIX: FRAME, LONG_MIX: FRAME}


@pytest.fixture
def sessions() -> FedSessions:
    """Two sessions, of which the first is open."""
    made = FedSessions()
    made.add(ONE)
    made.opened(ONE)
    made.add(TWO)
    return made


def test_only_what_somebody_hears_there_is_sent(sessions: FedSessions) -> None:
    """
    The full mix at first; nothing once the last hearer of anything has gone.
    """
    tick = sessions.tick(FRAMES)
    assert tick is not None
    assert tick.frames == {FULL_MIX: FRAME}

    sessions.forget(ONE)
    sessions.forget(TWO)
    assert sessions.tick(FRAMES) is None


def test_who_hears_something_else_is_told_until_a_tick_gets_through(
    sessions: FedSessions,
) -> None:
    """
    With each tick that may be lost, and not once more after that.
    """
    sessions.hear(ONE, LONG_MIX)
    lost, taken = sessions.tick(FRAMES), sessions.tick(FRAMES)
    assert lost is not None
    assert taken is not None
    sessions.told(taken)
    after = sessions.tick(FRAMES)

    assert lost.turns == taken.turns == [(ONE, LONG_MIX)]
    assert taken.frames == FRAMES
    assert after is not None
    assert after.turns == []


def test_nobody_is_told_of_whom_is_gone(sessions: FedSessions) -> None:
    """
    Nor of one who hears that source already.
    """
    sessions.hear(ONE, LONG_MIX)
    sessions.hear(TWO, FULL_MIX)
    sessions.forget(ONE)

    tick = sessions.tick(FRAMES)

    assert tick is not None
    assert tick.turns == []
    assert tick.frames == {FULL_MIX: FRAME}


def test_a_crowd_that_turns_is_told_bit_by_bit() -> None:
    """
    A datagram holds `MAX_TURNS`; the others come with the next one, without frames too.
    """
    sessions = FedSessions()
    for number in range(MAX_TURNS + 1):
        sessions.add(SessionId(str(number)))
        sessions.hear(SessionId(str(number)), LONG_MIX)

    first = sessions.tick(FRAMES)
    assert first is not None
    sessions.told(first)
    second = sessions.tick({})

    assert len(first.turns) == MAX_TURNS
    assert second is not None
    assert second.turns == [(SessionId(str(MAX_TURNS)), LONG_MIX)]


def test_what_a_process_takes_along_is_what_was_open(sessions: FedSessions) -> None:
    """
    Whoever waits for an answer learns it there.
    """
    assert sessions.clear() == [ONE]
    assert len(sessions) == 0
    assert sessions.tick(FRAMES) is None


def test_no_loss_is_left_out_of_reports(sessions: FedSessions) -> None:
    """
    So a client that is not named has recovered.
    """
    sessions.reported({ONE: 0.25, TWO: 0.5})
    sessions.reported({TWO: 0.5})

    assert sessions.fraction_lost(ONE) == 0.0
    assert sessions.losses() == [0.0, 0.5]
    assert sessions.fraction_lost(SessionId("unknown")) == 0.0

"""A room follows its desired state: who is in it, with which sessions, until when."""

import asyncio

import pytest

from media_worker.room.ports import SessionRefused
from media_worker.room.room_end import RoomEnd
from media_worker.room.session_book import Session
from media_worker.transport.endpoint import MAX_SESSIONS
from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind, Role
from tests.audio import level_at, tone
from tests.room_doubles import RunningRoom, a_member, desired, settle

ANA, BO = a_member("ana", Role.HOST), a_member("bo")
WHIP, WHEP = PeerKind.WHIP, PeerKind.WHEP


async def test_demotion_ends_sending_and_not_hearing() -> None:
    """
    WHIP is closed with DEMOTED; WHEP stays.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        whip, whep = (
            await running.connect("bo", WHIP),
            await running.connect("bo", WHEP),
        )

        running.room.apply(desired(ANA))
        await settle()

    assert (whip, PeerCloseReason.DEMOTED) in running.endpoint.closed
    assert whep in running.endpoint.open
    assert running.endpoint.told_to(whip, "closing") == [
        {"type": "closing", "reason": "demoted"}
    ]


async def test_removal_ends_everything_of_that_person() -> None:
    """
    Both sessions end with REMOVED, they are told, and may not come back.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        sessions = {await running.connect("bo", kind) for kind in PeerKind}

        running.room.apply(desired(ANA, removed=["bo"]))
        await settle()
        with pytest.raises(SessionRefused) as refused:
            await running.connect("bo", WHEP)

    assert set(running.endpoint.closed) == {
        (session_id, PeerCloseReason.REMOVED) for session_id in sessions
    }
    assert refused.value.code is ControlError.REMOVED


async def test_the_end_of_the_space_ends_the_room() -> None:
    """
    All sessions end with SPACE_ENDED, the last room.json says "ended", `run` returns.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        session_id = await running.connect("ana", WHIP)
        await running.clock.advance(0.2)

        running.room.apply(desired(ANA, live=False))
        await running.clock.advance(3.0)

        assert running.running.result() is RoomEnd.SPACE_ENDED
    assert running.endpoint.closed == [(session_id, PeerCloseReason.SPACE_ENDED)]
    assert running.publisher.rooms[-1].state == "ended"


async def test_a_store_that_hangs_does_not_hold_up_the_end() -> None:
    """
    Whoever stops the worker waits some seconds: the room is over in less.
    """
    async with RunningRoom() as running:
        running.publisher.hanging = True
        running.room.apply(desired(ANA))
        await running.connect("ana", WHIP)
        await running.clock.advance(1.0)

        running.room.end(RoomEnd.WORKER_STOPPING)
        await running.clock.advance(2.5)

        assert running.running.result() is RoomEnd.WORKER_STOPPING
    assert running.publisher.finishing


async def test_a_higher_epoch_stops_at_once_and_publishes_nothing() -> None:
    """
    Sessions end so that clients join again; the public state is left to the other.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        session_id = await running.connect("ana", WHIP)
        await running.clock.advance(3.0)
        published = len(running.publisher.rooms)

        running.room.apply(desired(ANA, epoch=2))
        await running.clock.advance(2.0)

        assert running.running.result() is RoomEnd.SUPERSEDED
    assert running.endpoint.closed == [(session_id, PeerCloseReason.WORKER_STOPPING)]
    assert len(running.publisher.rooms) == published


async def test_draining_refuses_newcomers() -> None:
    """
    A worker that is leaving says so to those who come.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        running.room.end(RoomEnd.WORKER_STOPPING)

        with pytest.raises(SessionRefused) as refused:
            await running.connect("ana", WHEP)

    assert refused.value.code is ControlError.WORKER_STOPPING


async def test_a_join_may_outrun_the_watch() -> None:
    """
    WHIP by somebody whom Firestore is about to show on stage waits for it.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        opening = asyncio.ensure_future(running.connect("bo", WHIP))
        await running.clock.advance(0.5)

        assert not opening.done()
        running.room.apply(desired(ANA, BO))

        assert await opening in running.endpoint.open


async def test_who_is_not_on_stage_may_not_send() -> None:
    """
    After a second of waiting for the watch the refusal comes.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        opening = asyncio.ensure_future(running.connect("bo", WHIP))
        await running.clock.advance(1.1)

        with pytest.raises(SessionRefused) as refused:
            await opening

    assert refused.value.code is ControlError.NOT_ON_STAGE


async def test_a_second_session_of_a_kind_replaces_the_first() -> None:
    """
    The new one is heard; the old one's end does not silence it.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        first = await running.connect("ana", WHIP)
        second = await running.connect("ana", WHIP)
        listener = await running.connect("l", WHEP)

        await running.talk({second: tone(450, seconds=1)})

        heard = running.heard_by(listener)
    assert running.endpoint.closed == [(first, PeerCloseReason.REPLACED)]
    assert level_at(heard[-24_000:], 450) == pytest.approx(8_000, rel=0.1)


async def test_sessions_that_replace_each_other_at_once_leave_one() -> None:
    """
    A client that opens several at the same time ends with one session, and is gone
    when that one is: none of the replaced stays behind as a ghost.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        await asyncio.gather(*(running.connect("ana", WHIP) for _ in range(4)))

        (left,) = running.endpoint.open
        assert [s.session_id for s in running.room.book] == [left]
        await running.endpoint.close_session(left, PeerCloseReason.LEFT)

        assert len(running.room.book) == 0
        assert not running.room.book.is_present(UserId("ana"))


async def test_a_refused_offer_leaves_the_session_before_it() -> None:
    """
    Who holds a session and offers nonsense is still shown as sending.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        await running.connect("ana", WHIP)
        with pytest.raises(SessionRefused):
            await running.room.doorway.open(
                "bad", user_id=UserId("ana"), kind=WHIP, grant_id="g"
            )

        assert running.room.book.is_sending(UserId("ana"))


async def test_delete_needs_the_same_user_and_grant() -> None:
    """
    Another grant finds no session; the right one closes it, once.
    """
    async with RunningRoom() as running:
        session_id = await running.connect("lea", WHEP)
        lea = UserId("lea")
        for user_id, grant_id in ((lea, "other"), (UserId("eve"), "grant-lea")):
            with pytest.raises(SessionRefused) as refused:
                await running.room.doorway.leave(
                    session_id, user_id=user_id, grant_id=grant_id
                )
            assert refused.value.code is ControlError.SESSION_NOT_FOUND

        await running.room.doorway.leave(session_id, user_id=lea, grant_id="grant-lea")
        with pytest.raises(SessionRefused):
            await running.room.doorway.leave(
                session_id, user_id=lea, grant_id="grant-lea"
            )

    assert running.endpoint.closed == [(session_id, PeerCloseReason.LEFT)]


async def test_a_full_room_takes_back_who_is_in_it() -> None:
    """
    Whether there is place is the endpoint's to say, which knows that a returning
    listener's session gives way to the new one.
    """
    async with RunningRoom() as running:
        first = await running.connect("lea", WHEP)
        for number in range(MAX_SESSIONS - 1):
            running.room.book.add(
                Session(
                    session_id=SessionId(str(number)),
                    user_id=UserId(str(number)),
                    kind=WHEP,
                    grant_id="g",
                )
            )
        second = await running.connect("lea", WHEP)
        first_end = running.endpoint.closed[0]
        still_open = set(running.endpoint.open)

    assert first_end == (first, PeerCloseReason.REPLACED)
    assert still_open == {second}


async def test_a_refused_offer_leaves_nothing() -> None:
    """
    What the endpoint refuses, the room passes on and forgets.
    """
    async with RunningRoom() as running:
        with pytest.raises(SessionRefused) as refused:
            await running.room.doorway.open(
                "bad", user_id=UserId("lea"), kind=WHEP, grant_id="g"
            )

        assert len(running.room.book) == 0
    assert refused.value.code is ControlError.SDP_NO_AUDIO


async def test_a_sender_whose_packets_never_decode_is_closed() -> None:
    """
    Two seconds of undecodable packets end the session with MEDIA_FAILED.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)

        for _ in range(250):
            packet = running._packet(ana, b"\x7f\xff\xff\xff")
            running.room.packet_received(ana, packet)
            await running.clock.advance(0.020)

    assert (ana, PeerCloseReason.MEDIA_FAILED) in running.endpoint.closed


async def test_a_silent_sender_is_left_alone() -> None:
    """
    Somebody who sends nothing (DTX, a muted microphone) is not failed.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        await running.connect("ana", WHIP)

        await running.clock.advance(10.0)

    assert running.endpoint.closed == []


async def test_closing_an_unknown_session_is_not_found() -> None:
    """
    An id that never was is refused, not crashed on.
    """
    async with RunningRoom() as running:
        with pytest.raises(SessionRefused) as refused:
            await running.room.doorway.leave(
                SessionId("nobody"), user_id=UserId("a"), grant_id="g"
            )

    assert refused.value.code is ControlError.SESSION_NOT_FOUND

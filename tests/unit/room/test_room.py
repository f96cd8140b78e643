"""A room follows its desired state, and people hear whom they should."""

import asyncio

import numpy as np
import pytest

from media_worker.audio.opus import Decoder
from media_worker.room.ports import FULL_MIX, SessionRefused
from media_worker.room.room_end import RoomEnd
from media_worker.room.session_book import Session
from media_worker.room.stage_audio import own_mix
from media_worker.transport.endpoint import MAX_SESSIONS
from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind, Role
from spaces_contract.runtime import WorkerState
from tests.audio import Samples, level_at, rms, similarity, tone, voice
from tests.room_doubles import RunningRoom, a_member, desired, settle

ANA, BO = a_member("ana", Role.HOST), a_member("bo")
WHIP, WHEP = PeerKind.WHIP, PeerKind.WHEP


def heard_by(running: RunningRoom, session_id: str) -> Samples:
    """Return what a hearer's decoder makes of all frames it was sent."""
    with Decoder() as decoder:
        return np.concatenate(
            [decoder.decode(f.payload) for f in running.endpoint.heard[session_id]]
        )


async def test_a_listener_hears_the_stage() -> None:
    """
    What a speaker says arrives at a listener, the same in shape and loudness.
    """
    source = voice(2)
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        listener = await running.connect("lea", WHEP)

        await running.talk({ana: source})

        heard = heard_by(running, listener)
    assert similarity(source, heard) > 0.95
    assert rms(heard) == pytest.approx(rms(source), rel=0.15)


async def test_nobody_hears_themselves() -> None:
    """
    Two tones at once: each speaker's return has the other's alone, a listener's both.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana, bo = await running.connect("ana", WHIP), await running.connect("bo", WHIP)
        hears = {name: await running.connect(name, WHEP) for name in ("ana", "bo", "l")}

        await running.talk({ana: tone(450, seconds=2), bo: tone(900, seconds=2)})

        late = {name: heard_by(running, to)[-48_000:] for name, to in hears.items()}
    assert level_at(late["ana"], 900) == pytest.approx(8_000, rel=0.1)
    assert level_at(late["ana"], 450) < 80
    assert level_at(late["bo"], 450) == pytest.approx(8_000, rel=0.1)
    assert level_at(late["l"], 450) == pytest.approx(8_000, rel=0.1)
    assert level_at(late["l"], 900) == pytest.approx(8_000, rel=0.1)


async def test_only_those_who_talk_have_a_mix_of_their_own() -> None:
    """
    Who is silent hears the full mix; who talks their own, and later the full again.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana = await running.connect("ana", WHIP)
        hears_ana, hears_bo = (
            await running.connect("ana", WHEP),
            await running.connect("bo", WHEP),
        )

        await running.talk({ana: voice(1)})
        sources = dict(running.endpoint.sources)
        await running.clock.advance(2.0)

    assert sources.get(hears_ana) == own_mix(UserId("ana"))
    assert sources.get(hears_bo, FULL_MIX) == FULL_MIX
    assert running.endpoint.sources[hears_ana] == FULL_MIX


async def test_switching_mixes_makes_no_glitch() -> None:
    """
    Bo talks on while Ana begins and ends: what Ana hears of Bo stays whole.
    """
    bo_says = tone(450, amplitude=6_000, seconds=4)
    ana_says = np.concatenate(
        [tone(900, amplitude=0, seconds=1), voice(1), tone(900, amplitude=0, seconds=2)]
    )
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana, bo = await running.connect("ana", WHIP), await running.connect("bo", WHIP)
        hears_ana = await running.connect("ana", WHEP)

        await running.talk({ana: ana_says, bo: bo_says})

        heard = heard_by(running, hears_ana)[24_000:]
    levels = [
        level_at(heard[n : n + 960], 450) for n in range(0, heard.size - 960, 960)
    ]
    assert min(levels) > 5_000
    assert max(levels) < 7_000


async def test_mute_takes_effect_with_the_next_block() -> None:
    """
    From the tick after the document changed, nothing of the muted is in the mix.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana, listener = (
            await running.connect("ana", WHIP),
            await running.connect("l", WHEP),
        )
        await running.talk({ana: tone(450, seconds=1)})

        running.room.apply(desired(a_member("ana", Role.HOST, muted=True)))
        ticks = running.endpoint.ticks
        await running.talk({ana: tone(450, seconds=1)})

        silent = heard_by(running, listener)[(ticks + 2) * 960 :]
        speaker = running.room.stage.speakers[UserId("ana")]
    assert np.abs(silent).max() < 40  # the codec's own tail
    assert np.abs(silent[-24_000:]).max() <= 2
    assert speaker.muted_packets == 50


async def test_frames_name_who_talks() -> None:
    """
    The mix's CSRCs are the talkers'; nobody's own mix names themselves.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana, listener = (
            await running.connect("ana", WHIP),
            await running.connect("l", WHEP),
        )
        own = await running.connect("ana", WHEP)

        await running.talk({ana: voice(1)})

        full, minus = running.endpoint.heard[listener], running.endpoint.heard[own]
        csrc = {m.uid: m.csrc for m in running.room.board.room.stage}["ana"]
    assert full[-10].csrcs == (csrc,)
    assert len(full[-10].levels_dbov) == 1
    assert minus[-10].csrcs == ()


async def test_timestamps_advance_by_a_block() -> None:
    """
    Every frame's timestamp is 960 after the one before.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        listener = await running.connect("l", WHEP)
        await running.clock.advance(1.0)

        stamps = [frame.timestamp for frame in running.endpoint.heard[listener]]
    assert set(np.diff(stamps).tolist()) == {960}


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


async def test_a_removed_speaker_is_out_of_the_mix_at_once() -> None:
    """
    Packets that still come before the session is gone are dropped.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)

        running.room.apply(desired(removed=["ana"]))

        assert UserId("ana") not in running.room.stage.speakers
        await running.talk({ana: tone(450)})


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

        heard = heard_by(running, listener)
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
            await running.room.open_session(
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
                await running.room.close_session(
                    session_id, user_id=user_id, grant_id=grant_id
                )
            assert refused.value.code is ControlError.SESSION_NOT_FOUND

        await running.room.close_session(session_id, user_id=lea, grant_id="grant-lea")
        with pytest.raises(SessionRefused):
            await running.room.close_session(
                session_id, user_id=lea, grant_id="grant-lea"
            )

    assert running.endpoint.closed == [(session_id, PeerCloseReason.LEFT)]


@pytest.mark.parametrize("kind", PeerKind)
async def test_who_was_replaced_by_another_device_is_told(kind: PeerKind) -> None:
    """
    DELETE with the replaced session's grant says `session-replaced`, for the same
    person and grant alone; the other device's session goes on.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = UserId("ana")
        first, _ = await running.room.open_session(
            "offer", user_id=ana, kind=kind, grant_id="phone"
        )
        second, _ = await running.room.open_session(
            "offer", user_id=ana, kind=kind, grant_id="laptop"
        )
        codes = []
        for user_id, grant_id in ((ana, "phone"), (ana, "laptop"), ("eve", "phone")):
            with pytest.raises(SessionRefused) as refused:
                await running.room.close_session(
                    first, user_id=UserId(user_id), grant_id=grant_id
                )
            codes.append(refused.value.code)

        assert second in running.endpoint.open
    assert (
        codes == [ControlError.SESSION_REPLACED] + [ControlError.SESSION_NOT_FOUND] * 2
    )


async def test_a_device_that_replaces_itself_is_told_of_no_other() -> None:
    """
    The same grant opened again: the earlier session is just over.
    """
    async with RunningRoom() as running:
        lea = UserId("lea")
        first = await running.connect("lea", WHEP)
        await running.connect("lea", WHEP)
        with pytest.raises(SessionRefused) as refused:
            await running.room.close_session(first, user_id=lea, grant_id="grant-lea")

    assert refused.value.code is ControlError.SESSION_NOT_FOUND


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
            await running.room.open_session(
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

        for number in range(250):
            packet = running._packet(ana, number, b"\x7f\xff\xff\xff")
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


async def test_presence_counts_people_and_not_sessions() -> None:
    """
    A speaker with two sessions is one participant and no listener.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        for kind in PeerKind:
            await running.connect("ana", kind)
        await running.connect("lea", WHEP)

        presence = running.room.presence(WorkerState.READY)

    assert presence.participant_count == 2
    assert presence.listener_count == 1
    assert presence.connected_ids == ("ana",)


async def test_the_stage_is_told_at_most_ten_times_a_second() -> None:
    """
    A hundred changes within a second make about ten messages, the last one true.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        await running.clock.advance(1.0)
        before = len(running.endpoint.told_to(ana, "room"))

        for number in range(100):
            running.room.apply(
                desired(ANA, a_member(f"u{number % 7}", muted=number % 2 == 0))
            )
            await running.clock.advance(0.010)
        await running.clock.advance(0.2)

        rooms = running.endpoint.told_to(ana, "room")[before:]
    assert 8 <= len(rooms) <= 13
    assert rooms[-1]["room"] == running.room.board.room.to_json() | {
        "stage": rooms[-1]["room"]["stage"],
        "talking": [],
        "listeners_by_process": [0],
    }
    assert [m["room"]["version"] for m in rooms] == sorted(
        m["room"]["version"] for m in rooms
    )


async def test_room_json_is_written_at_most_once_a_second() -> None:
    """
    Ten seconds of changes make about ten versions; none without a change.
    """
    async with RunningRoom() as running:
        for number in range(100):
            running.room.apply(desired(ANA, a_member("bo", muted=number % 2 == 0)))
            await running.clock.advance(0.1)
        written = len(running.publisher.rooms)
        await running.clock.advance(10)

    assert 9 <= written <= 12
    assert len(running.publisher.rooms) <= written + 1


async def test_a_store_that_fails_does_not_end_the_sound() -> None:
    """
    The room goes on, and publishes again when the store is back.
    """
    async with RunningRoom() as running:
        running.publisher.failing = True
        running.room.apply(desired(ANA))
        listener = await running.connect("l", WHEP)
        await running.clock.advance(3.0)
        running.publisher.failing = False
        running.room.apply(desired(ANA, BO))
        await running.clock.advance(3.0)

        assert len(running.endpoint.heard[listener]) >= 300
    assert len(running.publisher.rooms[-1].stage) == 2


async def test_people_are_told_what_they_are() -> None:
    """
    A host's mute reaches the muted as a personal message at once.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        bo = await running.connect("bo", WHIP)

        running.room.apply(desired(ANA, a_member("bo", muted=True)))

    assert running.endpoint.told_to(bo, "you") == [
        {"type": "you", "role": "speaker", "muted": False, "removed": False},
        {"type": "you", "role": "speaker", "muted": True, "removed": False},
    ]


async def test_what_a_full_channel_missed_is_told_later() -> None:
    """
    A mute that did not get through arrives, as it is then, when there is place.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        bo = await running.connect("bo", WHIP)
        await running.clock.advance(1.0)
        told = len(running.endpoint.told_to(bo, "you"))

        running.endpoint.full.add(bo)
        running.room.apply(desired(ANA, a_member("bo", muted=True)))
        await running.clock.advance(1.0)
        running.endpoint.full.clear()
        await running.clock.advance(0.2)

        late = running.endpoint.told_to(bo, "you")[told:]
    assert late == [{"type": "you", "role": "speaker", "muted": True, "removed": False}]


async def test_who_talks_shows_and_then_no_longer() -> None:
    """
    `talking` lists a talker within 100 ms or so, and forgets them after a pause.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        await running.talk({ana: voice(1)})

        talking = running.room.board.room.talking
        await running.clock.advance(1.5)

    assert talking == ("ana",)
    assert running.room.board.room.talking == ()


async def test_nothing_is_told_before_firestore_was_heard() -> None:
    """
    A worker that has just started publishes no empty stage.
    """
    async with RunningRoom() as running:
        await running.connect("lea", WHEP)
        await running.clock.advance(3.0)

    assert running.publisher.rooms == []


async def test_closing_an_unknown_session_is_not_found() -> None:
    """
    An id that never was is refused, not crashed on.
    """
    async with RunningRoom() as running:
        with pytest.raises(SessionRefused) as refused:
            await running.room.close_session(
                SessionId("nobody"), user_id=UserId("a"), grant_id="g"
            )

    assert refused.value.code is ControlError.SESSION_NOT_FOUND

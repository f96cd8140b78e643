"""What a room tells: the stage, everybody, Firestore, and how often."""

import pytest

from media_worker.room.ports import SessionRefused
from spaces_contract.control import ControlError
from spaces_contract.ids import UserId
from spaces_contract.roles import PeerKind, Role
from spaces_contract.runtime import WorkerState
from tests.audio import voice
from tests.room_doubles import RunningRoom, a_member, desired

ANA, BO = a_member("ana", Role.HOST), a_member("bo")
WHIP, WHEP = PeerKind.WHIP, PeerKind.WHEP


@pytest.mark.parametrize("kind", PeerKind)
async def test_who_was_replaced_by_another_device_is_told(kind: PeerKind) -> None:
    """
    DELETE with the replaced session's grant says `session-replaced`, for the same
    person and grant alone; the other device's session goes on.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = UserId("ana")
        first, _ = await running.room.doorway.open(
            "offer", user_id=ana, kind=kind, grant_id="phone"
        )
        second, _ = await running.room.doorway.open(
            "offer", user_id=ana, kind=kind, grant_id="laptop"
        )
        codes = []
        for user_id, grant_id in ((ana, "phone"), (ana, "laptop"), ("eve", "phone")):
            with pytest.raises(SessionRefused) as refused:
                await running.room.doorway.leave(
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
            await running.room.doorway.leave(first, user_id=lea, grant_id="grant-lea")

    assert refused.value.code is ControlError.SESSION_NOT_FOUND


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

"""Hosts are told whose network is bad, and nobody else is."""

import pytest

from media_worker.room.stage_network import network_grade
from spaces_contract.roles import PeerKind, Role
from spaces_contract.room_state import NetworkGrade
from tests.audio import voice
from tests.room_doubles import RunningRoom, a_member, desired

GOOD, FAIR, POOR = NetworkGrade
HOST, CO_HOST, SPEAKER = (
    a_member("ana", Role.HOST),
    a_member("cy", Role.CO_HOST),
    a_member("bo"),
)


@pytest.mark.parametrize(
    ("lost", "jitter_s", "grade"),
    [
        (0.0, 0.0, GOOD),
        (0.02, 0.02, GOOD),
        (0.03, 0.0, FAIR),
        (0.0, 0.03, FAIR),
        (0.1, 0.0, POOR),
        (0.0, 0.08, POOR),
        (1.0, 1.0, POOR),
    ],
)
def test_the_worse_of_loss_and_jitter_grades(
    lost: float, jitter_s: float, grade: NetworkGrade
) -> None:
    """
    What FEC and the jitter buffer hide is good; what everybody hears is poor.
    """
    assert network_grade(lost=lost, jitter_s=jitter_s) is grade


async def test_hosts_see_who_misses_what_they_are_sent() -> None:
    """
    Host and co-host are told of everybody on stage, once until something changes; the
    person themselves, and who listens, are not.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(HOST, CO_HOST, SPEAKER))
        whip = {
            name: await running.connect(name, PeerKind.WHIP)
            for name in ("ana", "cy", "bo")
        }
        hears = await running.connect("bo", PeerKind.WHEP)
        await running.clock.advance(3.0)
        running.endpoint.lost[hears] = 0.25
        await running.clock.advance(3.0)

        told = {
            name: running.endpoint.told_to(session_id, "network")
            for name, session_id in whip.items()
        }

    assert told["ana"] == told["cy"]
    assert told["bo"] == []
    grades = [
        {each["uid"]: each["grade"] for each in message["people"]}
        for message in told["ana"]
    ]
    assert grades == [
        {"ana": "good", "cy": "good", "bo": "good"},
        {"ana": "good", "cy": "good", "bo": "poor"},
    ]
    assert told["ana"][1]["people"][2]["heard_lost"] == 0.25


async def test_a_full_channel_is_told_later() -> None:
    """
    A host who could not be told is told at the next look.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(HOST))
        ana = await running.connect("ana", PeerKind.WHIP)
        running.endpoint.full.add(ana)
        await running.clock.advance(2.0)
        running.endpoint.full.clear()
        await running.clock.advance(2.0)

        assert len(running.endpoint.told_to(ana, "network")) == 1


async def test_what_is_lost_of_a_voice_is_seen() -> None:
    """
    Of somebody whose every fourth packet is lost, hosts see that share.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(HOST, SPEAKER))
        ana = await running.connect("ana", PeerKind.WHIP)
        bo = await running.connect("bo", PeerKind.WHIP)

        await running.talk({bo: voice(4)}, lose=lambda index: index % 4 == 3)

        people = running.endpoint.told_to(ana, "network")[-1]["people"]
    seen = next(each for each in people if each["uid"] == "bo")
    assert seen["sent_lost"] == pytest.approx(0.25, abs=0.03)
    assert seen["grade"] == "poor"


async def test_whoever_comes_back_is_counted_anew() -> None:
    """
    What was lost of them before says nothing of the network that they have now.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(HOST, SPEAKER))
        ana = await running.connect("ana", PeerKind.WHIP)
        before = await running.connect("bo", PeerKind.WHIP)
        await running.talk({before: voice(2)}, lose=lambda index: index % 4 == 3)
        after = await running.connect("bo", PeerKind.WHIP)
        told = len(running.endpoint.told_to(ana, "network"))
        await running.talk({after: voice(4)})

        later = running.endpoint.told_to(ana, "network")[told:]
    lost = [
        each["sent_lost"]
        for message in later
        for each in message["people"]
        if each["uid"] == "bo"
    ]
    assert lost
    assert all(0 <= share < 0.03 for share in lost)

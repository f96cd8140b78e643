"""What everybody sees of reactions, and of a host who is away."""

from dataclasses import replace

from spaces_contract.ids import UserId
from spaces_contract.reactions import Reaction
from spaces_contract.roles import PeerKind, Role
from tests.room_doubles import RunningRoom, a_member, desired

ANA = a_member("ana", Role.HOST)


def sent(uid: str, emoji: str, count: int = 1) -> Reaction:
    """Return one person's reaction."""
    return Reaction(uid=UserId(uid), emoji=emoji, count=count)


async def test_reactions_add_up_and_are_published() -> None:
    """
    Totals of the epoch, in a new version of the room; those of the removed are left
    out.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, removed=("rude",)))
        running.room.react([sent("bo", "🔥", 2), sent("rude", "👏"), sent("cy", "🔥")])
        await running.clock.advance(2)
        first = running.publisher.rooms[-1]
        running.room.react([sent("bo", "💯")])
        await running.clock.advance(2)
        second = running.publisher.rooms[-1]

    assert first.reactions == {"🔥": 3}
    assert second.reactions == {"🔥": 3, "💯": 1}
    assert second.version > first.version
    assert second.to_json()["reactions"] == {"🔥": 3, "💯": 1}


async def test_a_host_is_away_until_they_are_connected_again() -> None:
    """
    Functions say that nobody leads, or who else does; a host who is back is believed
    at once.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        await running.clock.advance(2)
        before = running.publisher.rooms[-1]
        running.room.apply(replace(desired(ANA), host_away=True))
        await running.clock.advance(2)
        away = running.publisher.rooms[-1]
        running.room.apply(replace(desired(ANA), acting_host_id=UserId("bo")))
        await running.clock.advance(2)
        covered = running.publisher.rooms[-1]
        await running.connect("ana", PeerKind.WHIP)
        await running.clock.advance(2)
        back = running.publisher.rooms[-1]

    seen = [(room.host_away, room.acting_host_id) for room in (before, away, covered)]
    assert seen == [(False, None), (True, None), (False, "bo")]
    assert (back.host_away, back.acting_host_id) == (False, None)

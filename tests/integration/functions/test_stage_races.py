"""Requests and invites when really answered at the same time: one wins, one is told."""

from functools import partial

import pytest

from spaces_contract.roles import MAX_SPEAKERS
from tests.integration.functions.test_races import Party, at_once
from tests.world import World

ROUNDS = 4


class Answers(Party):
    """A party whose people ask, invite and answer."""

    def delete(self, what: str, user: str) -> int:
        """DELETE as `user`; return the status."""
        path = f"{self.path}/{what}"
        return self._world.call("DELETE", path, as_user=user).status_code

    def role(self, user: str) -> str:
        """Return what somebody is in the Space."""
        path = f"{self.path}/me"
        return str(self._world.call("GET", path, as_user=user).get_json()["role"])


def lost_and_won(statuses: list[int]) -> bool:
    """Whether one call succeeded and the other was a conflict."""
    return sorted(status // 100 for status in statuses) == [2, 4] and 409 in statuses


def test_a_request_is_accepted_or_withdrawn(contended_world: World) -> None:
    """
    Accept against withdraw: one is done, the other is 409, and the stage agrees.
    """
    party = Answers(contended_world, 1)
    (ana,) = party.people
    party.post("join", ana)
    for _ in range(ROUNDS):
        assert party.post("speak-requests", ana) == 201
        statuses = at_once(
            [
                partial(party.post, f"speak-requests/{ana}/accept", party.host),
                partial(party.delete, f"speak-requests/{ana}", ana),
            ]
        )
        assert lost_and_won(statuses), statuses
        assert party.role(ana) == ("speaker" if statuses[0] == 200 else "listener")
        party.patch(party.host, ana, role="listener")


def test_two_hosts_answer_one_request(contended_world: World) -> None:
    """
    Accept against decline by another host: one is done, the other is 409.
    """
    party = Answers(contended_world, 2)
    ana, co_host = party.people
    for user in party.people:
        party.post("join", user)
    party.patch(party.host, co_host, role="co_host")
    for _ in range(ROUNDS):
        party.post("speak-requests", ana)
        statuses = at_once(
            [
                partial(party.post, f"speak-requests/{ana}/accept", party.host),
                partial(party.post, f"speak-requests/{ana}/decline", co_host),
            ]
        )
        assert lost_and_won(statuses), statuses
        party.patch(party.host, ana, role="listener")


@pytest.mark.parametrize("role", ["speaker", "co_host"])
def test_an_invite_is_accepted_or_revoked(contended_world: World, role: str) -> None:
    """
    Accept against revoke: one is done, the other is 409, and the stage agrees.
    """
    party = Answers(contended_world, 1)
    (ana,) = party.people
    party.post("join", ana)
    for _ in range(ROUNDS):
        assert party.post("invites", party.host, user_ids=[ana], role=role) == 200
        statuses = at_once(
            [
                partial(party.post, f"invites/{ana}/accept", ana),
                partial(party.delete, f"invites/{ana}", party.host),
            ]
        )
        assert lost_and_won(statuses), statuses
        assert party.role(ana) == (role if statuses[0] == 200 else "listener")
        assert party.space()["invited_user_ids"] == []
        party.patch(party.host, ana, role="listener")


def test_the_last_seat_by_request_and_by_invite(contended_world: World) -> None:
    """
    One accepts an invite while a host accepts another's request: one seat, one 409.
    """
    party = Answers(contended_world, MAX_SPEAKERS + 1)
    asking, invited, *speakers = party.people
    for user in speakers:
        party.post("join", user, role="speaker")
    for user in (asking, invited):
        party.post("join", user)
    for _ in range(ROUNDS):
        party.post("speak-requests", asking)
        party.post("invites", party.host, user_ids=[invited])
        statuses = at_once(
            [
                partial(party.post, f"speak-requests/{asking}/accept", party.host),
                partial(party.post, f"invites/{invited}/accept", invited),
            ]
        )
        assert sorted(statuses) == [200, 409]
        assert len(party.space()["speaker_ids"]) == MAX_SPEAKERS
        winner = asking if statuses[0] == 200 else invited
        party.patch(party.host, winner, role="listener")


def test_a_removal_beats_the_invite(contended_world: World) -> None:
    """
    Whoever accepts while they are removed is off the stage afterwards.
    """
    party = Answers(contended_world, 1)
    (ana,) = party.people
    party.post("join", ana)
    for _ in range(ROUNDS):
        party.post("invites", party.host, user_ids=[ana])
        at_once(
            [
                partial(party.patch, party.host, ana, removed=True),
                partial(party.post, f"invites/{ana}/accept", ana),
            ]
        )
        assert party.space()["speaker_ids"] == []
        assert party.post("join", ana) == 403
        party.patch(party.host, ana, removed=False)
        party.post("join", ana)

"""What finding promises: the memory doubles and Firestore, by the same tests."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from spaces.adapters.clock import random_space_id, random_token
from spaces.adapters.firestore.client import BoundedClient
from spaces.domain import participant
from spaces.domain.feed import Place, Section, place_of
from spaces.domain.public_numbers import number_of
from spaces.domain.space import Decision, Space
from spaces.domain.states import SpaceState
from spaces.service.discovery_ports import Listing
from spaces.service.ports import Cursor
from spaces_contract.ids import SpaceId, UserId
from tests.builders import NOW, a_profile, a_space
from tests.firestore_world import FirestoreWorld
from tests.stores import Stores
from tests.world import World


class Town:
    """Stores on one technology, and people whom no other test knows."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        token = random_token()[:8].lower()
        self._prefix = f"t{token.replace('-', 'x').replace('_', 'y')}"

    def uid(self, name: str) -> UserId:
        """Return the uid, and handle, of somebody here."""
        return UserId(f"{self._prefix}_{name}")

    def account(self, name: str) -> UserId:
        """Make an account."""
        uid = self.uid(name)
        profile = a_profile(uid)
        return self.stores.profiles.update(uid, lambda _: profile).user_id

    def space(self, host: str, state: SpaceState, **fields: Any) -> Space:
        """Store a Space, called by a word that only this town knows."""
        drafted = a_space(state, id=random_space_id(), title=self._prefix, **fields)
        uid = self.uid(host)
        space = replace(drafted, creator_id=uid, host_ids=(uid,))
        person = participant.host_of(space, a_profile(uid), now=NOW)
        return self.stores.spaces.create(space, person, None)

    def pages(self, listing: Listing, size: int) -> list[SpaceId]:
        """Read a listing of this town to its end."""
        here = replace(listing, term=self._prefix[:20])
        found: list[SpaceId] = []
        after: Place | None = None
        while page := self.stores.space_finder.listed(here, limit=size, after=after):
            found += [space.id for space in page]
            after = place_of(page[-1], here.section)
        return found


@pytest.fixture(params=["memory", "firestore"])
def town(request: pytest.FixtureRequest) -> Town:
    """Return a town on each technology in turn."""
    if request.param == "memory":
        return Town(World().make_stores())
    client: BoundedClient = request.getfixturevalue("client")
    return Town(FirestoreWorld(client).make_stores())


def test_listings_in_pages(town: Town) -> None:
    """
    Each section in its order, page by page; nothing over, late or without a time.
    """
    live = [
        town.space("ana", SpaceState.LIVE, started_at=NOW + timedelta(hours=n))
        for n in range(5)
    ]
    waiting = [
        town.space("bo", SpaceState.SCHEDULED, scheduled_start=NOW + timedelta(hours=n))
        for n in range(3)
    ]
    town.space("bo", SpaceState.SCHEDULED)
    town.space("bo", SpaceState.ENDED)

    started = town.pages(Listing(section=Section.STARTED), 2)
    later = Listing(section=Section.SCHEDULED, not_before=NOW + timedelta(minutes=1))

    assert started == [space.id for space in reversed(live)]
    assert town.pages(later, 1) == [space.id for space in waiting[1:]]


def test_the_largest_audience_first(town: Town) -> None:
    """
    Live Spaces by audience, each once; equals by their ids.
    """
    counts = (10**9 + 1, 10**9 + 2, 10**9 + 1)
    spaces = [
        town.space("ana", SpaceState.LIVE, participant_count=count) for count in counts
    ]
    listing, finder = Listing(section=Section.LIVE), town.stores.space_finder

    first = finder.listed(listing, limit=2, after=None)
    rest = finder.listed(listing, limit=1, after=place_of(first[-1], Section.LIVE))

    found = [space.id for space in (*first, *rest)]
    equal = sorted((spaces[0].id, spaces[2].id), reverse=True)
    assert found == [spaces[1].id, *equal]
    for space in spaces:  # others' tests look at the largest too
        town.stores.spaces.update(space.id, _over)


def _over(space: Space) -> Decision:
    return Decision(replace(space, state=SpaceState.ENDED))


def test_ones_own_and_those_with_somebody(town: Town) -> None:
    """
    A host's own, those of numbered hosts, those with people on stage, those named.
    """
    ana, bo = town.uid("ana"), town.uid("bo")
    live = town.space("ana", SpaceState.LIVE, speaker_ids=(bo,))
    other = town.space("cleo", SpaceState.LIVE)
    planned = town.space("bo", SpaceState.SCHEDULED, scheduled_start=NOW)
    town.space("bo", SpaceState.ENDED, speaker_ids=(ana,))
    finder = town.stores.space_finder
    crowd = [town.uid(f"nobody{n}") for n in range(70)]

    with_bo = finder.live_with([*crowd, bo])
    numbers = [number_of(uid) for uid in (*crowd, ana, bo)]
    hosted = finder.hosted_by(numbers, limit=9)
    named = finder.get_many([other.id, SpaceId("1None1None1No"), live.id])
    own = Listing(section=Section.SCHEDULED, host_id=bo, not_before=NOW)

    assert [space.id for space in with_bo] == [live.id]
    assert {space.id for space in hosted} == {live.id, planned.id}
    assert set(named) == {live.id, other.id}
    assert [s.id for s in finder.listed(own, limit=9, after=None)] == [planned.id]


def test_relations_are_listed_and_read_whole(town: Town) -> None:
    """
    Follows and blocks are listed, the latest first, and undone; the list follows.
    """
    ana, bo, cleo, dan = (town.account(name) for name in ("ana", "bo", "cleo", "dan"))
    relations, people = town.stores.relations, town.stores.people_finder
    for hours, other in enumerate((bo, cleo, dan)):
        at = NOW + timedelta(hours=hours)
        relations.follow(ana, other, lambda _: None, at=at)
    relations.follow(bo, cleo, lambda _: None, at=NOW)
    relations.unfollow(ana, dan)

    first = people.followed(ana, limit=1, after=None)
    after = Cursor(first[0].since, first[0].user_id)
    rest = people.followed(ana, limit=9, after=after)
    fans = people.followers(cleo, limit=1, after=None)
    more = people.followers(cleo, limit=9, after=Cursor(fans[0].since, fans[0].user_id))

    assert [each.user_id for each in (*first, *rest)] == [cleo, bo]
    assert [each.user_id for each in (*fans, *more)] == [ana, bo]
    assert first[0].profile is not None
    assert people.following(ana) == {bo, cleo}
    assert people.count_followers(cleo, at_most=10) == 2
    assert people.count_followers(cleo, at_most=1) == 1


def test_live_spaces_of_a_host_are_counted(town: Town) -> None:
    """
    Theirs and no other's, none that waits or is over, only what went live before, and
    no further than asked.
    """
    for state in (SpaceState.LIVE, SpaceState.LIVE, *SpaceState):
        town.space("ana", state)
    town.space("bo", SpaceState.LIVE)
    older = NOW - timedelta(milliseconds=1)
    town.space("ana", SpaceState.LIVE, started_at=older)
    count, ana = town.stores.space_finder.count_live, town.uid("ana")
    later = NOW + timedelta(milliseconds=1)

    assert count(ana, started_before=later, at_most=10) == 4
    assert count(ana, started_before=later, at_most=2) == 2
    assert count(ana, started_before=NOW, at_most=10) == 1
    assert count(ana, started_before=older, at_most=10) == 0
    assert count(town.uid("cleo"), started_before=later, at_most=2) == 0


def test_a_block_undoes_and_keeps_apart(town: Town) -> None:
    """
    A block ends following in both directions and is seen from both sides.
    """
    ana, bo, cleo = (town.account(name) for name in ("ana", "bo", "cleo"))
    relations, people = town.stores.relations, town.stores.people_finder
    for one, other in ((ana, bo), (bo, ana), (ana, cleo)):
        relations.follow(one, other, lambda _: None, at=NOW)
    relations.block(bo, ana, lambda found: found or a_profile(ana), at=NOW)

    assert people.following(ana) == {cleo}
    assert people.following(bo) == frozenset()
    assert people.apart(ana, [bo, cleo]) == {bo}
    assert people.apart(bo, [ana]) == {ana}
    assert people.apart(ana, []) == frozenset()
    assert [each.user_id for each in people.blocked(bo, limit=9, after=None)] == [ana]


def test_people_by_handle(town: Town) -> None:
    """
    The beginning of a handle finds people in the order of handles, and no others.
    """
    ana, bo = town.account("ana"), town.account("bo")
    people = town.stores.people_finder
    prefix = ana[: ana.index("_") + 1]

    found = people.with_handle(prefix.upper(), limit=9)
    first = people.with_handle(prefix, limit=1)

    assert [each.user_id for each in found] == [ana, bo]
    assert [each.user_id for each in first] == [ana]
    assert people.with_handle(f"{prefix}z", limit=9) == []
    assert set(people.profiles([ana, town.uid("nobody")])) == {ana}

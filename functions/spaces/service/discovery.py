"""Finding Spaces: the feed of somebody, what is scheduled, and by words."""

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from ..domain import feed, search
from ..domain.feed import Entry, Page, Place, Section
from ..domain.profile import Profile
from ..domain.schedule import NO_SHOW_AFTER
from ..domain.search import SearchQuery
from ..domain.space import Space
from .discovery_ports import Listing, PeopleFinder, SpaceFinder
from .ports import Clock

FOLLOWED: Final = (Section.HOSTS, Section.STAGE)
PEOPLE_IN_QUERY: Final = 30  # what one Firestore query takes
LOOKED_AT: Final = 200  # Spaces in one call, shown or not


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryService:
    """Use cases of whoever looks for a Space."""

    spaces: SpaceFinder
    people: PeopleFinder
    now: Clock

    def feed(
        self,
        user_id: UserId,
        *,
        sections: Sequence[Section],
        limit: int,
        after: Place | None,
    ) -> Page:
        """
        Return a page of what this person sees first, without those kept apart.

        Args:
            sections: Of HOSTS, STAGE, LIVE and SCHEDULED, in this order.
            after: Where the last page ended.
        """
        rest = _from(sections, after)
        live = [section for section in rest if section is not Section.SCHEDULED]
        entries: Iterator[Entry] = iter(())
        if live:
            followed = self.people.following(user_id)
            entries = self._live(user_id, live, followed, limit=limit, after=after)
        if Section.SCHEDULED in rest:
            waiting = self._listed(
                self._listing(Section.SCHEDULED),
                user_id,
                limit=limit,
                after=_in(Section.SCHEDULED, after),
            )
            entries = itertools.chain(entries, waiting)
        return feed.page_of(entries, limit=limit, at_most=LOOKED_AT)

    def listed(
        self,
        section: Section,
        *,
        limit: int,
        after: Place | None,
        host_id: UserId | None = None,
    ) -> Page:
        """Return a page of one section as anybody sees it; of one host where named."""
        listing = replace(self._listing(section), host_id=host_id)
        entries = self._listed(listing, None, limit=limit, after=after)
        return feed.page_of(entries, limit=limit, at_most=LOOKED_AT)

    def search(
        self,
        query: SearchQuery,
        *,
        sections: Sequence[Section],
        user_id: UserId | None,
        limit: int,
        after: Place | None,
    ) -> Page:
        """
        Return a page of Spaces with these words in title or topics.

        Args:
            sections: Of STARTED and SCHEDULED, in this order.
            user_id: Whose blocks count; None shows what anybody sees.
        """

        def found(section: Section) -> Iterator[Entry]:
            return self._listed(
                replace(self._listing(section), term=query.term),
                user_id,
                limit=limit,
                after=_in(section, after),
                fits=lambda space: search.matches(query, space),
            )

        rest = _from(sections, after)
        entries = itertools.chain.from_iterable(map(found, rest))
        return feed.page_of(entries, limit=limit, at_most=LOOKED_AT)

    def get_many(self, space_ids: Sequence[SpaceId]) -> dict[SpaceId, Space]:
        """Return those Spaces that there are, in the order asked for."""
        found = self.spaces.get_many(space_ids)
        return {each: found[each] for each in space_ids if each in found}

    def hosted_by(self, numbers: Collection[int]) -> Sequence[Space]:
        """Return live and scheduled Spaces of these hosts; those started last first."""
        found = self.spaces.hosted_by(numbers, limit=LOOKED_AT)

        def key(space: Space) -> tuple[bool, int]:
            live = space.started_at is not None
            at = space.started_at or space.scheduled_start or space.created_at
            return not live, -feed.micros(at) if live else feed.micros(at)

        opened = [each for each in found if each.started_at or each.scheduled_start]
        return sorted(opened, key=key)

    def profiles(self, user_ids: Collection[UserId]) -> Mapping[UserId, Profile]:
        """Return the accounts of those who have one."""
        return self.people.profiles(user_ids)

    def _live(
        self,
        user_id: UserId,
        sections: Sequence[Section],
        followed: Collection[UserId],
        *,
        limit: int,
        after: Place | None,
    ) -> Iterator[Entry]:
        if any(section in FOLLOWED for section in sections):
            behind = after if after and after.section in FOLLOWED else None
            spaces = self._of_followed(followed) if followed else ()
            entries = feed.of_followed(spaces, followed, after=behind)
            for start in range(0, len(entries), limit + 1):  # no more than are shown
                batch = entries[start : start + limit + 1]
                yield from self._without_apart(batch, user_id)
        if Section.LIVE in sections:
            yield from self._listed(
                Listing(section=Section.LIVE),
                user_id,
                limit=limit,
                after=_in(Section.LIVE, after),
                fits=lambda each: feed.section_of(each, followed) not in FOLLOWED,
            )

    def _of_followed(self, followed: Collection[UserId]) -> Sequence[Space]:
        # Whichever is less: to look at all live Spaces, or to ask for people 30 by 30.
        # Looking at one more than the queries costs at most twice the better way.
        queries = -(-len(followed) // PEOPLE_IN_QUERY)
        listing = Listing(section=Section.LIVE)
        few = self.spaces.listed(listing, limit=queries + 1, after=None)
        return few if len(few) <= queries else self.spaces.live_with(followed)

    def _listed(
        self,
        listing: Listing,
        user_id: UserId | None,
        *,
        limit: int,
        after: Place | None,
        fits: Callable[[Space], bool] = lambda _: True,
    ) -> Iterator[Entry]:
        """Yield a listing behind `after`, read a page at a time; None for misfits."""
        while True:
            found = self.spaces.listed(listing, limit=limit + 1, after=after)
            placed: list[Entry] = [
                (feed.place_of(each, listing.section), each if fits(each) else None)
                for each in found
            ]
            yield from self._without_apart(placed, user_id)
            if len(found) <= limit:
                return
            after = placed[-1][0]

    def _without_apart(
        self, entries: Sequence[Entry], user_id: UserId | None
    ) -> Iterator[Entry]:
        """Yield `entries`, with None for Spaces of hosts kept apart from `user_id`."""
        hosts = {space.creator_id for _, space in entries if space} - {user_id}
        apart = self.people.apart(user_id, hosts) if user_id and hosts else frozenset()
        for place, space in entries:
            yield place, None if space and space.creator_id in apart else space

    def _listing(self, section: Section) -> Listing:
        if section is not Section.SCHEDULED:
            return Listing(section=section)
        # Whoever is late has half an hour; who never came is called off by then.
        return Listing(section=section, not_before=self.now() - NO_SHOW_AFTER)


def _from(sections: Sequence[Section], after: Place | None) -> Sequence[Section]:
    """Return the sections that are not over where a page ended at `after`."""
    if after is None or after.section not in sections:
        return sections
    return sections[sections.index(after.section) :]


def _in(section: Section, after: Place | None) -> Place | None:
    return after if after and after.section is section else None

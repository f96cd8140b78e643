"""What somebody is shown first: sections of the feed, and pages through them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from spaces_contract.ids import UserId

from .space import Space

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)


class Section(StrEnum):
    """Parts of a list, in the order in which they are shown."""

    HOSTS = "hosts"  # live, hosted by somebody whom they follow
    STAGE = "stage"  # live, somebody whom they follow is on stage
    LIVE = "live"  # live, the largest audience first
    STARTED = "started"  # live, started last first
    SCHEDULED = "scheduled"  # the next one first


@dataclass(frozen=True, slots=True)
class Place:
    """
    Where an entry stands in a list, so that a page can go on behind it.

    Args:
        value: By which the section is ordered: microseconds since 1970, or people.
    """

    section: Section
    value: int
    id: str


Entry = tuple[Place, Space | None]  # None: looked at, and not to be shown


@dataclass(frozen=True, slots=True)
class Page:
    """Spaces to show, and where the next page goes on; None at the end."""

    spaces: tuple[Space, ...]
    after: Place | None


def place_of(space: Space, section: Section) -> Place:
    """Return where `space` stands in `section`."""
    match section:
        case Section.LIVE:
            value = space.participant_count
        case Section.SCHEDULED:
            value = micros(space.scheduled_start or space.created_at)
        case _:
            value = micros(space.started_at or space.created_at)
    return Place(section, value, space.id)


def micros(at: datetime) -> int:
    """Return `at` in microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def instant_of(value: int) -> datetime:
    """Return the time of so many microseconds since 1970."""
    return EPOCH + value * MICROSECOND


def section_of(space: Space, followed: Collection[UserId]) -> Section:
    """Return the section in which a live Space is shown to whoever follows these."""
    if space.creator_id in followed:
        return Section.HOSTS
    if any(uid in followed for uid in space.stage_ids):
        return Section.STAGE
    return Section.LIVE


def of_followed(
    spaces: Iterable[Space], followed: Collection[UserId], *, after: Place | None
) -> Sequence[Entry]:
    """
    Return the live Spaces of followed people behind `after`.

    Their hosts' come first, in each part those started last first: counts change from
    one page to the next, starts do not.
    """
    ranks = {Section.HOSTS: 0, Section.STAGE: 1}

    def key(place: Place) -> tuple[int, int, str]:
        return -ranks[place.section], place.value, place.id

    placed = [
        (place_of(space, section), space)
        for space in spaces
        if (section := section_of(space, followed)) in ranks
    ]
    placed.sort(key=lambda entry: key(entry[0]), reverse=True)
    return [entry for entry in placed if after is None or key(entry[0]) < key(after)]


def page_of(entries: Iterable[Entry], *, limit: int, at_most: int) -> Page:
    """
    Take a page of `limit` Spaces from `entries`, looking at no more than `at_most`.

    A page that ends for that reason is shorter, and says where to go on.
    """
    shown: list[Space] = []
    last: Place | None = None
    for looked_at, (place, space) in enumerate(entries):
        if len(shown) == limit or looked_at == at_most:
            return Page(tuple(shown), last)
        if space is not None:
            shown.append(space)
        last = place
    return Page(tuple(shown), None)

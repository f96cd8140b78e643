"""How a Space's listeners are spread over its origin worker and its relays."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from spaces_contract.relays import MAX_RELAYS
from spaces_contract.runtime import LAUNCH_LIMIT_S

from .runtime import Runtime

# Of the threshold: fewer workers must still be far from it, or relays come and go.
SPARE_SHARE: Final = 0.5
_DRAWS: Final = 1 << 32  # values of a CRC


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """
    When a Space gets more workers.

    Args:
        from_share: Of the capacity of all its workers; so full, they get another.
        most: Relays of one Space at a time.
    """

    from_share: float = 0.8
    most: int = 16

    def __post_init__(self) -> None:
        """Check the bounds; raises ValueError."""
        if not 0 < self.from_share <= 1 or not 0 <= self.most <= MAX_RELAYS:
            raise ValueError("relays: a share up to 1, and 0 to 64 at most")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """
    One worker that listeners can be sent to.

    Args:
        relay: Its number; None is the origin.
    """

    relay: int | None
    control_url: str
    listeners: int
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedRelay:
    """
    One that was asked for.

    Args:
        ref: The launcher's name for it; None while it was not answered.
    """

    placed_at: datetime
    ref: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayBook:
    """
    Which relays functions have asked for in an epoch.

    Args:
        next_index: Of the next one; no number is used twice in an epoch.
    """

    epoch: int
    next_index: int = 0
    placed: Mapping[int, PlacedRelay] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayPlan:
    """
    What is to be done now.

    Args:
        book: As it is from now on.
        place: Number of the relay to launch, or None.
        stop: References of those to stop.
        stop_unnamed: Numbers of those to stop whose reference was never noted.
    """

    book: RelayBook
    place: int | None = None
    stop: tuple[str, ...] = ()
    stop_unnamed: tuple[int, ...] = ()


def places(runtime: Runtime) -> list[Place]:
    """Return all workers of a Space that told how many they take, the origin first."""
    if runtime.capacity is None or not runtime.control_url:
        return []
    relays = runtime.relays.values()
    direct = runtime.listener_count - runtime.hls_listener_count
    origin = Place(
        relay=None,
        control_url=runtime.control_url,
        listeners=max(0, direct - sum(each.listeners for each in relays)),
        capacity=max(0, runtime.capacity - sum(each.capacity for each in relays)),
    )
    return [
        origin,
        *(
            Place(
                relay=index,
                control_url=report.control_url,
                listeners=report.listeners,
                capacity=report.capacity,
            )
            for index, report in sorted(runtime.relays.items())
        ),
    ]


def choose(runtime: Runtime, key: str, limits: RelayLimits) -> Place | None:
    """
    Return the worker for a listener; None: the origin, whatever it says.

    Drawn by how much room each has left below the threshold, not simply the emptiest:
    counts are some seconds old, and a crowd would all go to the same one meanwhile.

    Args:
        key: Whose draw it is; the same person falls to the same place while the places
            are the same.
    """
    known = places(runtime)
    free = [limits.from_share * each.capacity - each.listeners for each in known]
    if not any(room > 0 for room in free):
        free = [float(each.capacity - each.listeners) for each in known]
    rooms = [max(0.0, room) for room in free]
    drawn = zlib.crc32(key.encode()) / _DRAWS * sum(rooms)
    for place, room in zip(known, rooms, strict=True):
        drawn -= room
        if drawn < 0:
            return place
    return None


def concerns(runtime: Runtime, limits: RelayLimits) -> bool:
    """Whether `plan` might change anything: else nobody need read what was placed."""
    known = places(runtime)
    return _are_full(known, limits) or _spare(known, limits) is not None


def plan(
    book: RelayBook | None,
    runtime: Runtime,
    *,
    now: datetime,
    limits: RelayLimits,
) -> RelayPlan:
    """
    Return which relay to launch, and which to stop.

    One at a time: what a relay takes over shows only once it is there.
    """
    stop: list[str] = []
    if book is None or book.epoch != runtime.epoch:
        stop += _refs(book.placed if book else {})
        book = RelayBook(epoch=runtime.epoch)
    coming, gone = _absent(book, runtime, now)
    stop += _refs(gone)
    unnamed = _unnamed(gone)
    placed = {i: each for i, each in book.placed.items() if i not in gone}
    known = places(runtime)
    place = None
    if not coming and len(placed) < limits.most and _are_full(known, limits):
        place = book.next_index
        placed[place] = PlacedRelay(placed_at=now)
    elif not coming and (spare := _spare(known, limits)) is not None:
        # It stays in the book until it reports no more: should it not be told to stop
        # this time, the next look finds it again.
        leaving = {spare: placed[spare]} if spare in placed else {}
        stop += _refs(leaving)
        unnamed += _unnamed(leaving)
    next_index = book.next_index if place is None else place + 1
    book = replace(book, placed=placed, next_index=next_index)
    return RelayPlan(
        book=book, place=place, stop=tuple(stop), stop_unnamed=tuple(unnamed)
    )


def _are_full(known: list[Place], limits: RelayLimits) -> bool:
    capacity = sum(each.capacity for each in known)
    listeners = sum(each.listeners for each in known)
    return (
        capacity > 0
        and listeners >= limits.from_share * capacity
        and len(known) <= limits.most
    )


def _spare(known: list[Place], limits: RelayLimits) -> int | None:
    """Return the relay with the fewest listeners, where the others could do alone."""
    relays = [each for each in known if each.relay is not None]
    if not relays:
        return None
    least = min(relays, key=lambda each: (each.listeners, -(each.relay or 0)))
    listeners = sum(each.listeners for each in known)
    others = sum(each.capacity for each in known if each is not least)
    enough = SPARE_SHARE * limits.from_share * others
    return least.relay if listeners <= enough else None


def _absent(
    book: RelayBook, runtime: Runtime, now: datetime
) -> tuple[dict[int, PlacedRelay], dict[int, PlacedRelay]]:
    """Return those who do not report: who may be on the way, and who is lost."""
    coming: dict[int, PlacedRelay] = {}
    gone: dict[int, PlacedRelay] = {}
    for index, each in book.placed.items():
        if index not in runtime.relays:
            young = (now - each.placed_at).total_seconds() <= LAUNCH_LIMIT_S
            (coming if young else gone)[index] = each
    return coming, gone


def _refs(placed: Mapping[int, PlacedRelay]) -> list[str]:
    return [each.ref for each in placed.values() if each.ref is not None]


def _unnamed(placed: Mapping[int, PlacedRelay]) -> list[int]:
    return [index for index, each in placed.items() if each.ref is None]

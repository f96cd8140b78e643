"""
Listened queries and documents, kept up to date from committed changes alone.

Equal targets of any number of streams share one watch: a change is matched once,
whatever the number of listeners.  Only a limit query that lost a document asks the
database again.
"""

import sys
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .documents import StoredDocument
from .fields import FieldPath
from .locks import Change
from .paths import Path
from .queries import Query

Projection = tuple[FieldPath, ...] | None


@dataclass(frozen=True, slots=True)
class Event:
    """
    News of one document for one target.

    Args:
        document: Its new version in the result; None when it is out of it.
        deleted: Whether it is out because it does not exist any more.
        projection: Fields of the document to tell; None for all.
    """

    key: bytes
    version: int
    document: StoredDocument | None
    deleted: bool = False
    projection: Projection = None
    encoded: dict[int, bytes] = field(default_factory=dict)  # by target id


class Subscriber(Protocol):
    """Whoever wants to hear of a watch's events."""

    def deliver(self, target_id: int, event: Event) -> None:
        """Take an event; a later one for the same document replaces it."""
        ...


class Watch(Protocol):
    """What all kinds of watches do."""

    subscribers: set[tuple[Subscriber, int]]

    def apply(self, change: Change, version: int) -> list[Event]:
        """Return the events that one change causes."""
        ...

    def settle(self, version: int) -> list[Event]:
        """Return the events that had to wait for the end of the group."""
        ...


class DocumentWatch:
    """One document by name, whether it exists or not."""

    def __init__(self) -> None:
        self.subscribers: set[tuple[Subscriber, int]] = set()

    def apply(self, change: Change, version: int) -> list[Event]:
        """Return the event for the one document that changed."""
        return [Event(change.key, version, change.after, change.after is None)]

    def settle(self, version: int) -> list[Event]:
        """Return nothing: documents do not depend on one another."""
        return []


class QueryWatch:
    """A query without limit: each document is in or out by itself."""

    def __init__(self, query: Query) -> None:
        self._query = query
        self.subscribers: set[tuple[Subscriber, int]] = set()

    def apply(self, change: Change, version: int) -> list[Event]:
        """Return an event if the document is or was in the result."""
        if change.after is not None and self._query.position(change.after) is not None:
            return [shown(change.after, version, self._query)]
        if (
            change.before is not None
            and self._query.position(change.before) is not None
        ):
            return [Event(change.key, version, None, change.after is None)]
        return []

    def settle(self, version: int) -> list[Event]:
        """Return nothing: documents do not depend on one another."""
        return []


_Place = tuple[tuple[bytes, ...], bytes]  # sort key and name key


class LimitWatch:
    """
    A query with a limit: the window of its first documents is remembered.

    Args:
        run: Returns the query's present result, in order.
    """

    def __init__(
        self, query: Query, run: Callable[[], Iterable[StoredDocument]]
    ) -> None:
        self._query = query
        self._limit = sys.maxsize if query.limit is None else query.limit
        self._run = run
        self._stale = False
        self._window: list[_Place] = []
        self._known: dict[bytes, tuple[_Place, int]] = {}
        self.subscribers: set[tuple[Subscriber, int]] = set()
        self._fill(list(run()))

    def _fill(self, documents: Sequence[StoredDocument]) -> None:
        self._window.clear()
        self._known.clear()
        for document in documents:
            place = self._place(document)
            if place is not None:
                self._window.append(place)
                self._known[document.key] = (place, document.updated_us)

    def _place(self, document: StoredDocument | None) -> _Place | None:
        components = self._query.position(document) if document is not None else None
        if components is None or document is None:
            return None
        return components, document.key

    def apply(self, change: Change, version: int) -> list[Event]:
        """Return the events of changes that the window can answer by itself."""
        place = self._place(change.after)
        if self._query.offset:
            # What is skipped is not remembered, and moves the rest when it goes.
            moved = place is not None or self._place(change.before) is not None
            self._stale = self._stale or moved
            return []
        known = self._known.get(change.key)
        if self._stale or (known is None and place is None):
            return []
        full = len(self._window) >= self._limit
        last = self._window[-1] if self._window else None
        outside = place is None or (full and (last is None or place > last))
        if known is None and outside:
            return []
        if known is not None and outside and full:
            self._stale = True  # somebody moves up
            return []
        if known is not None:
            self._remove(change.key, known[0])
        if place is None or change.after is None:
            return [Event(change.key, version, None, change.after is None)]
        insort(self._window, place)
        self._known[change.key] = (place, change.after.updated_us)
        news = shown(change.after, version, self._query)
        return [news, *self._overflow(version)]

    def _remove(self, key: bytes, place: _Place) -> None:
        del self._window[bisect_left(self._window, place)]
        del self._known[key]

    def _overflow(self, version: int) -> list[Event]:
        if len(self._window) <= self._limit:
            return []
        _, key = self._window.pop()
        del self._known[key]
        return [Event(key, version, None)]

    def settle(self, version: int) -> list[Event]:
        """Run the query again if the window could not tell; return what changed."""
        if not self._stale:
            return []
        self._stale = False
        before = {key: updated for key, (_, updated) in self._known.items()}
        documents = list(self._run())
        self._fill(documents)
        events = [
            shown(document, version, self._query)
            for document in documents
            if before.get(document.key) != document.updated_us
        ]
        gone = before.keys() - self._known.keys()
        return events + [Event(key, version, None) for key in sorted(gone)]


def shown(document: StoredDocument, version: int, query: Query) -> Event:
    """Return the news that a document is in the query's result as it now is."""
    return Event(document.key, version, document, projection=query.projection)


_Topic = tuple[str, object]


def query_topic(query: Query) -> _Topic:
    """Return under what a query's watch is filed."""
    if query.collection_id is None:
        return "database", query.parent.database
    if query.descendants:
        return "group", (query.parent.database, query.collection_id)
    return "collection", query.parent.child(query.collection_id)


def topics(path: Path) -> tuple[_Topic, ...]:
    """Return what a document's watches are filed under, but for its own."""
    return (
        ("collection", path.parent),
        ("group", (path.database, path.segments[-2])),
        ("database", path.database),
    )

"""Who watches what: hands committed changes to the watches they concern."""

from collections.abc import Hashable, Iterable, Sequence

from .documents import StoredDocument
from .execution import QueryRunner, plan_or_walk
from .operations import Kind, OperationCounter
from .paths import decode_key
from .queries import Query
from .watches import (
    DocumentWatch,
    Event,
    LimitWatch,
    QueryWatch,
    Subscriber,
    Watch,
    query_topic,
    topics,
)
from .writer import Committed


class Hub:
    """
    All watches of the server.

    Args:
        version: Newest version at the start; `published` moves it on.
    """

    def __init__(
        self, runner: QueryRunner, counter: OperationCounter, *, version: int
    ) -> None:
        self._runner = runner
        self._counter = counter
        self._topics: dict[Hashable, dict[Query, Watch]] = {}
        self._documents: dict[bytes, DocumentWatch] = {}
        self.version = version

    def watch_query(self, query: Query, subscriber: Subscriber, target_id: int) -> None:
        """
        Deliver what changes from now on in a query's result.

        Raises:
            StatusError: FAILED_PRECONDITION, an index is missing.
        """
        plan_or_walk(query, self._runner.catalog)
        watches = self._topics.setdefault(query_topic(query), {})
        watch = watches.get(query)
        if watch is None:
            watch = watches[query] = self._make(query)
        watch.subscribers.add((subscriber, target_id))

    def unwatch_query(
        self, query: Query, subscriber: Subscriber, target_id: int
    ) -> None:
        """Stop delivering."""
        topic = query_topic(query)
        watches = self._topics.get(topic, {})
        watch = watches.get(query)
        if watch is None:
            return
        watch.subscribers.discard((subscriber, target_id))
        if not watch.subscribers:
            del watches[query]
        if not watches:
            self._topics.pop(topic, None)

    def watch_document(
        self, key: bytes, subscriber: Subscriber, target_id: int
    ) -> None:
        """Deliver what changes from now on in one document."""
        watch = self._documents.setdefault(key, DocumentWatch())
        watch.subscribers.add((subscriber, target_id))

    def unwatch_document(
        self, key: bytes, subscriber: Subscriber, target_id: int
    ) -> None:
        """Stop delivering."""
        watch = self._documents.get(key)
        if watch is None:
            return
        watch.subscribers.discard((subscriber, target_id))
        if not watch.subscribers:
            del self._documents[key]

    def published(self, commits: Sequence[Committed]) -> None:
        """Take a durable group of commits, in order."""
        touched: dict[int, Watch] = {}
        for commit in commits:
            for change in commit.changes:
                for watch in self._concerned(change.key):
                    touched[id(watch)] = watch
                    self._deliver(watch, watch.apply(change, commit.version))
            self.version = max(self.version, commit.version)
        for watch in touched.values():
            self._deliver(watch, watch.settle(self.version))

    def current(self, query: Query) -> list[StoredDocument]:
        """Return the present result of a query."""
        with self._runner.store.snapshot() as connection:
            return list(self._runner.results(query, connection))

    def _make(self, query: Query) -> Watch:
        if query.limit is None and not query.offset:
            return QueryWatch(query)
        return LimitWatch(query, lambda: self.current(query))

    def _concerned(self, key: bytes) -> Iterable[Watch]:
        if self._topics:
            for topic in topics(decode_key(key)):
                yield from list(self._topics.get(topic, {}).values())
        watch = self._documents.get(key)
        if watch is not None:
            yield watch

    def _deliver(self, watch: Watch, events: Sequence[Event]) -> None:
        for event in events:
            for subscriber, target_id in watch.subscribers:
                subscriber.deliver(target_id, event)
            collection_id = decode_key(event.key).segments[-2]
            if event.document is not None:
                self._counter.add(Kind.READS, collection_id, len(watch.subscribers))

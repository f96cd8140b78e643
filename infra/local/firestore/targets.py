"""What one Listen target shows at its start: everything, or what changed meanwhile."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .documents import StoredDocument
from .errors import invalid
from .execution import QueryRunner
from .hub import Hub
from .limits import MAX_WRITES_PER_COMMIT
from .paths import document_path
from .protocol import Message
from .queries import Query, parse_query
from .watches import Event, Subscriber, shown


class Target(Protocol):
    """A query or a set of documents that one stream listens to."""

    def attach(self, hub: Hub, subscriber: Subscriber, target_id: int) -> None:
        """Deliver later changes to `subscriber`."""
        ...

    def detach(self, hub: Hub, subscriber: Subscriber, target_id: int) -> None:
        """Deliver no more."""
        ...

    def everything(self, runner: QueryRunner, version: int) -> Iterable[Event]:
        """Return the present state."""
        ...

    def since(self, runner: QueryRunner, past: int, version: int) -> Iterable[Event]:
        """Return how the present state differs from that of version `past`."""
        ...

    @property
    def collection_id(self) -> str | None:
        """What a start without documents is billed to."""
        ...


@dataclass(frozen=True, slots=True)
class DocumentsTarget:
    """Documents by name."""

    keys: tuple[bytes, ...]
    collection_id: str | None

    def attach(self, hub: Hub, subscriber: Subscriber, target_id: int) -> None:
        """Deliver later changes to `subscriber`."""
        for key in self.keys:
            hub.watch_document(key, subscriber, target_id)

    def detach(self, hub: Hub, subscriber: Subscriber, target_id: int) -> None:
        """Deliver no more."""
        for key in self.keys:
            hub.unwatch_document(key, subscriber, target_id)

    def everything(self, runner: QueryRunner, version: int) -> Iterable[Event]:
        """Return every document, the absent ones as deleted."""
        for key in self.keys:
            document = runner.store.get(key)
            yield Event(key, version, document, document is None)

    def since(self, runner: QueryRunner, past: int, version: int) -> Iterable[Event]:
        """Return the documents that changed, the absent ones as deleted."""
        for key in self.keys:
            now, then = runner.store.get(key), runner.store.get_at(key, past)
            if (now.updated_us if now else 0) != (then.updated_us if then else 0):
                yield Event(key, version, now, now is None)


@dataclass(frozen=True, slots=True)
class QueryTarget:
    """The result of a query."""

    query: Query

    @property
    def collection_id(self) -> str | None:
        """What a start without documents is billed to."""
        return self.query.collection_id

    def attach(self, hub: Hub, subscriber: Subscriber, target_id: int) -> None:
        """
        Deliver later changes to `subscriber`.

        Raises:
            StatusError: FAILED_PRECONDITION, an index is missing.
        """
        hub.watch_query(self.query, subscriber, target_id)

    def detach(self, hub: Hub, subscriber: Subscriber, target_id: int) -> None:
        """Deliver no more."""
        hub.unwatch_query(self.query, subscriber, target_id)

    def everything(self, runner: QueryRunner, version: int) -> Iterable[Event]:
        """Return the whole result."""
        with runner.store.snapshot() as connection:
            for document in runner.results(self.query, connection):
                yield shown(document, version, self.query)

    def since(self, runner: QueryRunner, past: int, version: int) -> Iterable[Event]:
        """Return what came into, changed in, or left the result."""
        if self.query.limit is None and not self.query.offset:
            yield from self._changes(runner, past, version)
            return
        with runner.store.snapshot() as connection:
            now = _by_key(runner.results(self.query, connection))
            then = _by_key(runner.results(self.query, connection, at=past))
        for key, document in now.items():
            if key not in then or then[key].updated_us != document.updated_us:
                yield shown(document, version, self.query)
        for key in then.keys() - now.keys():
            yield Event(key, version, None, runner.store.get(key) is None)

    def _changes(self, runner: QueryRunner, past: int, version: int) -> Iterable[Event]:
        position = self.query.position
        for key, then in runner.store.changed_since(past).items():
            now = runner.store.get(key)
            if now is not None and position(now) is not None:
                yield shown(now, version, self.query)
            elif then is not None and position(then) is not None:
                yield Event(key, version, None, now is None)


def _by_key(documents: Iterable[StoredDocument]) -> dict[bytes, StoredDocument]:
    return {document.key: document for document in documents}


def parse_target(message: Message, database: str) -> Target:
    """
    Read a `google.firestore.v1.Target`.

    Raises:
        StatusError: INVALID_ARGUMENT.
    """
    kind = message.WhichOneof("target_type")
    if kind == "query":
        return QueryTarget(
            parse_query(message.query.parent, message.query.structured_query)
        )
    if kind == "documents":
        return _documents(message.documents.documents, database)
    raise invalid("A target must name a query or documents.")


def _documents(names: Sequence[str], database: str) -> Target:
    if not names:
        raise invalid("A documents target must name documents.")
    if len(names) > MAX_WRITES_PER_COMMIT:
        raise invalid(f"At most {MAX_WRITES_PER_COMMIT} documents per target.")
    paths = [document_path(name) for name in names]
    if any(path.database != database for path in paths):
        raise invalid(f"A document of the target is not in the database {database}.")
    keys = tuple(dict.fromkeys(path.key() for path in paths))
    return DocumentsTarget(keys, paths[0].segments[-2])

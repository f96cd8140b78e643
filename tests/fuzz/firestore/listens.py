"""Random operations with listeners among them: who listens, leaves, comes back."""

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any, Final

from google.cloud import firestore

from tests.conformance.firestore.servers import Client
from tests.fuzz.firestore.listening import MARKER, Broken, Listener, View
from tests.fuzz.firestore.operations import Operation, Source, build, run

SLOTS: Final = 6  # listeners held at once
EVERY: Final = 8  # operations to one of listeners


def with_listens(seed: int) -> Iterator[Operation]:
    """Yield operations of `Source`, and those of listeners among them."""
    source, chosen = Source(seed), random.Random(f"listens {seed}")
    for operation in source:
        if chosen.randrange(EVERY) == 0:
            yield _listen_operation(source, chosen)
        yield operation


def _listen_operation(source: Source, chosen: random.Random) -> Operation:
    name = chosen.choice(("listen", "leave", "resume", "resume", "settle", "settle"))
    if name == "settle":
        return Operation(name, ())
    slot = chosen.randrange(SLOTS)
    if name != "listen":
        return Operation(name, (slot,))
    kind = chosen.random()
    if kind < 0.2:
        return Operation("listen_document", (slot, *source.document()))
    if kind < 0.3:
        return Operation("listen_group", (slot,))
    collection, where, *others = source.query_parts()
    if kind < 0.65:
        where = None  # few documents match a random filter; let there be some to lose
    return Operation("listen", (slot, collection, where, *others))


class Side:
    """One server: its client, and who listens to it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._listeners: dict[int, Listener] = {}
        self._open: set[int] = set()
        self._ordered: dict[int, Callable[[], list[str]]] = {}
        self._markers = itertools.count()
        self._calls: dict[str, Callable[..., Any]] = {
            "listen": self._listen_query,
            "listen_document": self._listen_document,
            "listen_group": self._listen_group,
            "leave": self._leave,
            "resume": self._resume,
            "settle": self._settle,
        }

    def run(self, operation: Operation) -> Any:
        """Make the call; return its result, or the name of its error."""
        call = self._calls.get(operation.name)
        if call is None:
            return run(self._client, operation)
        try:
            return call(*operation.arguments)
        except Broken as broken:
            return str(broken)
        except ValueError as error:  # the client library itself refuses
            return f"refused {error}"

    def drop(self, slot: int) -> None:
        """Forget a listener, the other side has none like it."""
        self._leave(slot)
        self._listeners.pop(slot, None)

    def close(self) -> None:
        """End all streams."""
        for slot in range(SLOTS):
            self.drop(slot)

    def _listen_query(self, slot: int, *parts: Any) -> Any:
        return self._query(slot, build(self._client, *parts))

    def _listen_group(self, slot: int) -> Any:
        return self._query(slot, self._client.collection_group("rooms"))

    def _query(self, slot: int, query: Any) -> Any:
        self.drop(slot)
        if isinstance(query, firestore.CollectionReference):
            query = query._query()
        parent, _ = query._parent._parent_info()
        asked = {"parent": parent, "structured_query": query._to_protobuf()}
        return self._listen(
            slot,
            {"query": asked},
            lambda: [found.reference.path for found in query.stream()],
        )

    def _listen_document(self, slot: int, path: str, id_: str) -> Any:
        self.drop(slot)
        document = self._client.collection(path).document(id_)
        return self._listen(
            slot,
            {"documents": {"documents": [document._document_path]}},
            lambda: [document.path] if document.get().exists else [],
        )

    def _listen(
        self, slot: int, target: dict[str, Any], ordered: Callable[[], list[str]]
    ) -> Any:
        listener = Listener(self._client, target)
        self._listeners[slot], self._ordered[slot] = listener, ordered
        return self._resume(slot)

    def _leave(self, slot: int) -> None:
        if slot in self._open:
            self._open.remove(slot)
            self._listeners[slot].close()

    def _resume(self, slot: int) -> Any:
        self._leave(slot)
        if slot not in self._listeners:
            return None
        self._open.add(slot)
        try:
            return self._in_order(slot, self._listeners[slot].open())
        except Broken:
            self.drop(slot)
            raise

    def _settle(self) -> Any:
        marker = next(self._markers)
        self._client.document(MARKER).set({"n": marker})
        views = {}
        for slot in sorted(self._open):
            try:
                view = self._listeners[slot].settled(marker)
            except Broken as broken:
                self.drop(slot)
                views[slot] = str(broken)
            else:
                views[slot] = self._in_order(slot, view)
        return views

    def _in_order(self, slot: int, view: View) -> Any:
        """
        Return the view in the order of its query, which clients sort for themselves.

        What is in the one and not in the other shows as such.
        """
        paths = self._ordered[slot]()
        extra = sorted(view.keys() - set(paths))
        return [(path, view.get(path, "missing")) for path in paths] + [
            (path, "not in the result") for path in extra
        ]

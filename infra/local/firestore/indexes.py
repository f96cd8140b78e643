"""
Which indexes exist, and the entries that a document has in them.

A *bucket* is one index of one collection (or of one collection group): the integer
that leads its entries in SQLite.  Single fields are indexed by themselves, except
where `fieldOverrides` says otherwise; composite indexes are those of the file.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any, Final, Self

from .documents import StoredDocument
from .errors import StatusError, invalid
from .fields import FieldPath, get_field, leaf_fields, parse_field_path
from .filters import NAME
from .paths import Path
from .protocol import Message
from .values import encode, invert

MAX_ENTRIES_PER_DOCUMENT: Final = 40_000
_MAYBE_TOO_MANY_BYTES: Final = 2 * MAX_ENTRIES_PER_DOCUMENT  # no entry takes less


class Mode(StrEnum):
    """How an index holds one field; values as in the indexes file."""

    ASCENDING = "ASCENDING"
    DESCENDING = "DESCENDING"
    CONTAINS = "CONTAINS"


class Scope(StrEnum):
    """What an index spans; values as in the indexes file."""

    COLLECTION = "COLLECTION"
    GROUP = "COLLECTION_GROUP"


@dataclass(frozen=True, slots=True)
class IndexField:
    """One field of an index."""

    path: FieldPath
    mode: Mode

    def component(self, encoded: bytes) -> bytes:
        """Return an encoded value as entries of the index have it."""
        return invert(encoded) if self.mode is Mode.DESCENDING else encoded


@dataclass(frozen=True, slots=True)
class Definition:
    """
    One index.

    Args:
        fields: Without the document name, which every index ends with.
        name_descending: Direction of that last component.
    """

    scope: Scope
    fields: tuple[IndexField, ...]
    name_descending: bool = False

    def bucket(self, collection: Path) -> int:
        """Return the number of this index for `collection` or its group."""
        return _bucket(self, collection)

    def entries(self, document: StoredDocument) -> Iterator[tuple[bytes, bytes]]:
        """Yield (value, name) of each entry of the document in this index."""
        name = document.name_component
        if self.name_descending:
            name = invert(name)
        joined: set[bytes] = {b""}
        for item in self.fields:
            value = get_field(document.fields, item.path)
            if value is None:
                return
            components = _components(value, item)
            joined = {left + right for left in joined for right in components}
        for value_key in joined:
            yield value_key, name


Entry = tuple[int, bytes, bytes]  # bucket, value, name
BY_NAME: Final = Definition(Scope.COLLECTION, ())
BY_NAME_IN_GROUP: Final = Definition(Scope.GROUP, ())


@lru_cache(maxsize=16_384)
def single_field(path: FieldPath, mode: Mode, scope: Scope) -> Definition:
    """Return the index of one field; descending reads the ascending one backwards."""
    stored = Mode.CONTAINS if mode is Mode.CONTAINS else Mode.ASCENDING
    return Definition(scope, (IndexField(path, stored),))


@lru_cache(maxsize=16_384)
def _bucket(definition: Definition, collection: Path) -> int:
    where = collection.segments
    if definition.scope is Scope.GROUP:
        where = where[-1:]
    text = json.dumps(
        [
            collection.database,
            where,
            definition.scope.value,
            [(item.path, item.mode.value) for item in definition.fields],
            definition.name_descending,
        ]
    )
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _components(value: Message, item: IndexField) -> set[bytes]:
    if item.mode is Mode.CONTAINS:
        return {encode(element) for element in value.array_value.values}
    return {item.component(encode(value))}


_AUTOMATIC: Final = frozenset((mode, Scope.COLLECTION) for mode in Mode)


@dataclass(frozen=True)
class Catalog:
    """
    The indexes of the file beside the automatic ones.

    Args:
        composites: (collection id, scope) -> definitions.
        overrides: (collection id, field) -> the only single-field indexes there.
        ttl_fields: Collection id -> field whose time ends a document's life.
        text: What this was parsed from.
    """

    composites: Mapping[tuple[str, Scope], tuple[Definition, ...]] = field(
        default_factory=dict
    )
    overrides: Mapping[tuple[str, FieldPath], frozenset[tuple[Mode, Scope]]] = field(
        default_factory=dict
    )
    ttl_fields: Mapping[str, FieldPath] = field(default_factory=dict)
    text: str = "{}"

    @classmethod
    def load(cls, file: FilePath) -> Self:
        """
        Read the indexes file; an absent file declares nothing.

        Raises:
            ValueError: the file is not JSON of the expected form.
        """
        return cls.parse(file.read_text() if file.exists() else "{}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read the text of an indexes file.

        Raises:
            ValueError: it is not JSON of the expected form.
        """
        try:
            return replace(cls.from_json(json.loads(text)), text=text)
        except (KeyError, TypeError, AttributeError, StatusError) as error:
            raise ValueError(f"not an indexes file: {error!r}") from error

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read the content of an indexes file."""
        composites: dict[tuple[str, Scope], tuple[Definition, ...]] = {}
        for item in content.get("indexes", ()):
            scope = Scope(item.get("queryScope", "COLLECTION"))
            key = (item["collectionGroup"], scope)
            composites[key] = (*composites.get(key, ()), _definition(item, scope))
        overrides, ttl_fields = {}, {}
        for item in content.get("fieldOverrides", ()):
            path = parse_field_path(item["fieldPath"])
            if item.get("ttl"):
                ttl_fields[item["collectionGroup"]] = path
            if "indexes" in item:
                overrides[item["collectionGroup"], path] = frozenset(
                    _single(index) for index in item["indexes"]
                )
        return cls(composites, overrides, ttl_fields)

    def has_single(
        self, collection_id: str, path: FieldPath, mode: Mode, scope: Scope
    ) -> bool:
        """Return whether a query may use the index of one field."""
        return (mode, scope) in self.singles(collection_id, path)

    def singles(
        self, collection_id: str, path: FieldPath
    ) -> frozenset[tuple[Mode, Scope]]:
        """Return the indexes of one field."""
        # An exemption of a map field holds for what is below it, as in production.
        for end in range(len(path), 0, -1):
            found = self.overrides.get((collection_id, path[:end]))
            if found is not None:
                return found
        return _AUTOMATIC

    def entries(self, document: StoredDocument) -> set[Entry]:
        """
        Return all index entries of a document.

        Raises:
            StatusError: INVALID_ARGUMENT, more than production allows.
        """
        found = self._entries(document, document.fields.keys())
        collection = document.path.parent
        for definition in (BY_NAME, BY_NAME_IN_GROUP):
            found.add((definition.bucket(collection), b"", document.name_component))
        if len(found) > MAX_ENTRIES_PER_DOCUMENT:
            raise invalid("too many index entries for entity")
        return found

    def changes(
        self, before: StoredDocument | None, after: StoredDocument | None
    ) -> tuple[set[Entry], set[Entry]]:
        """
        Return the entries to remove and to add when `after` replaces `before`.

        Raises:
            StatusError: INVALID_ARGUMENT, more than production allows.
        """
        if before is None or after is None or len(after.data) > _MAYBE_TOO_MANY_BYTES:
            old = self.entries(before) if before else set()
            new = self.entries(after) if after else set()
        else:
            names = before.fields.keys() | after.fields.keys()
            changed = {n for n in names if before.fields.get(n) != after.fields.get(n)}
            old, new = self._entries(before, changed), self._entries(after, changed)
        return old - new, new - old

    def _entries(self, document: StoredDocument, names: Collection[str]) -> set[Entry]:
        """Return the entries that depend on any of these top-level fields."""
        collection = document.path.parent
        return {
            (definition.bucket(collection), value, name)
            for definition in self._definitions(document, names)
            for value, name in definition.entries(document)
        }

    def _definitions(
        self, document: StoredDocument, names: Collection[str]
    ) -> Iterator[Definition]:
        collection_id = document.path.segments[-2]
        fields = {n: document.fields[n] for n in names if n in document.fields}
        for path, value in leaf_fields(fields):
            singles = self.singles(collection_id, path)
            if self.ttl_fields.get(collection_id) == path:
                singles |= {(Mode.ASCENDING, Scope.GROUP)}
            for definition in {single_field(path, *single) for single in singles}:
                contains = definition.fields[0].mode is Mode.CONTAINS
                if not contains or value.HasField("array_value"):
                    yield definition
        for scope in Scope:
            for definition in self.composites.get((collection_id, scope), ()):
                if any(item.path[0] in names for item in definition.fields):
                    yield definition


def _definition(item: Mapping[str, Any], scope: Scope) -> Definition:
    fields = []
    for part in item["fields"]:
        mode = _mode(part)
        fields.append(IndexField(parse_field_path(part["fieldPath"]), mode))
    descending = fields[-1].mode is Mode.DESCENDING
    if fields[-1].path == NAME:
        fields.pop()
    return Definition(scope, tuple(fields), descending)


def _single(index: Mapping[str, Any]) -> tuple[Mode, Scope]:
    mode = _mode(index)
    return mode, Scope(index.get("queryScope", "COLLECTION"))


def _mode(part: Mapping[str, Any]) -> Mode:
    return Mode(part["order"] if "order" in part else part["arrayConfig"])

"""Running a query's scans, now or as of a past version."""

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from .documents import StoredDocument
from .index_choice import check_direction
from .indexes import Catalog
from .paths import END
from .planner import Scan, plan
from .queries import Query
from .store import Store

_PROBE_ROWS: Final = 1_000
_Keyed = tuple[tuple[bytes, ...], StoredDocument]


@dataclass(frozen=True, slots=True)
class QueryRunner:
    """Answers queries from one store under one catalog of indexes."""

    store: Store
    catalog: Catalog

    def results(
        self, query: Query, connection: sqlite3.Connection, *, at: int | None = None
    ) -> Iterator[StoredDocument]:
        """
        Yield the query's documents in order, offset and limit applied.

        Args:
            connection: Sees one state for as long as the iterator is used.
            at: A past version to read instead of the newest.

        Raises:
            StatusError: FAILED_PRECONDITION, an index is missing.
        """
        if query.limit == 0:
            plan_or_walk(query, self.catalog)
            return iter(())
        overlay: dict[bytes, StoredDocument | None] = {}
        if at is not None:
            overlay = self.store.changed_since(at, connection)
        found = self._merged(query, connection, overlay)
        stop = None if query.limit is None else query.offset + query.limit
        return islice(found, query.offset, stop)

    def count(
        self, query: Query, connection: sqlite3.Connection, *, up_to: int | None
    ) -> int | None:
        """Return the number of results from the index alone; None if it can't tell."""
        scans = plan_or_walk(query, self.catalog)
        if scans is None or len(scans) != 1 or not scans[0].exact:
            return None
        limits = [limit for limit in (query.limit, up_to) if limit is not None]
        sql, values = _select(scans[0], "1", limit=None)
        if limits:
            sql += f" LIMIT {min(limits) + query.offset}"
        row = connection.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()  # noqa: S608 - our own names; values are bound
        return max(0, int(row[0]) - query.offset)

    def _merged(
        self,
        query: Query,
        connection: sqlite3.Connection,
        overlay: dict[bytes, StoredDocument | None],
    ) -> Iterator[StoredDocument]:
        scans = plan_or_walk(query, self.catalog)
        if scans is None:
            streams = [self._walk(query, connection)]
        else:
            limit = None
            if query.limit is not None and not overlay:
                limit = query.limit + query.offset
            if len(scans) == 1 and not overlay:
                return self._scan(query, scans[0], connection, limit)
            streams = [self._scan(query, scan, connection, limit) for scan in scans]
        keyed = [_keyed(query, stream, overlay) for stream in streams]
        if overlay:
            keyed.append(iter(_past(query, overlay.values())))
        if len(keyed) == 1:
            return (document for _, document in keyed[0])
        return _distinct(heapq.merge(*keyed, key=lambda pair: pair[0]))

    def _walk(
        self, query: Query, connection: sqlite3.Connection
    ) -> Iterator[StoredDocument]:
        """Yield documents of all collections; they are ordered by name alone."""
        check_direction(query.orders[0], ())
        after = b""
        if query.start is not None and query.start.components:
            after = query.start.components[0].removesuffix(END)
        for document in self.store.below(query.parent.key(), connection, after=after):
            name = (document.name_component,)
            if query.end is not None and query.end.precedes(name):
                return
            if query.position(document) is not None:
                yield document

    def _scan(
        self,
        query: Query,
        scan: Scan,
        connection: sqlite3.Connection,
        limit: int | None,
    ) -> Iterator[StoredDocument]:
        scan = _cheapest_first(scan, connection)
        sql, values = _select(
            scan, "d.name, d.created, d.updated, d.data", limit if scan.exact else None
        )
        for row in connection.execute(sql, values):
            document = StoredDocument(*row)
            if scan.exact or query.position(document) is not None:
                yield document


def plan_or_walk(query: Query, catalog: Catalog) -> list[Scan] | None:
    """Return the scans, or None for a query over all collections by name."""
    return None if query.collection_id is None else plan(query, catalog)


def _select(scan: Scan, columns: str, limit: int | None) -> tuple[str, list[object]]:
    # CROSS JOIN keeps SQLite from reordering: the range is read in its order.
    joins, values = [], []
    skip = len(scan.source.prefix) + 1
    for number, join in enumerate(scan.joins):
        joins.append(
            f" CROSS JOIN entries j{number} ON j{number}.bucket = ?"
            f" AND j{number}.value = CAST(? || substr(e.value, {skip}) AS BLOB)"
            f" AND j{number}.name = e.name"
        )
        values += [join.bucket, join.prefix]
    direction = " DESC" if scan.backwards else ""
    documents = ""
    if columns != "1":
        documents = " CROSS JOIN documents d ON d.id = e.document"
    sql = (
        f"SELECT {columns} FROM entries e{''.join(joins)}{documents}"  # noqa: S608 - our own names; values are bound
        " WHERE e.bucket = ? AND (e.value, e.name) >= (?, ?)"
        " AND (e.value, e.name) < (?, ?)"
        f" ORDER BY e.value{direction}, e.name{direction}"
    )
    values += [scan.source.bucket, *scan.lower, *scan.upper]
    if limit is not None:
        sql += " LIMIT ?"
        values.append(limit)
    return sql, values


def _cheapest_first(scan: Scan, connection: sqlite3.Connection) -> Scan:
    """Read the index with the fewest entries and look up the others, if unranged."""
    if not scan.joins:
        return scan
    length = len(scan.source.prefix)
    options = []
    for base in (scan.source, *scan.joins):
        options.append(
            replace(
                scan,
                source=base,
                joins=tuple(s for s in (scan.source, *scan.joins) if s != base),
                lower=(base.prefix + scan.lower[0][length:], scan.lower[1]),
                upper=(base.prefix + scan.upper[0][length:], scan.upper[1]),
            )
        )
    return min(options, key=lambda option: _probe(option, connection))


def _probe(scan: Scan, connection: sqlite3.Connection) -> int:
    sql, values = _select(replace(scan, joins=()), "1", _PROBE_ROWS)
    row = connection.execute(f"SELECT count(*) FROM ({sql})", values).fetchone()  # noqa: S608 - our own names; values are bound
    return int(row[0])


def _keyed(
    query: Query,
    stream: Iterator[StoredDocument],
    overlay: dict[bytes, StoredDocument | None],
) -> Iterator[_Keyed]:
    for document in stream:
        if document.key not in overlay:
            components = query.components(document)
            if components is not None:
                yield components, document


def _past(query: Query, documents: Iterable[StoredDocument | None]) -> Sequence[_Keyed]:
    found = []
    for document in documents:
        if document is not None and (place := query.position(document)) is not None:
            found.append((place, document))
    return sorted(found, key=lambda pair: pair[0])


def _distinct(stream: Iterable[_Keyed]) -> Iterator[StoredDocument]:
    last = b""
    for _, document in stream:
        if document.key != last:
            last = document.key
            yield document

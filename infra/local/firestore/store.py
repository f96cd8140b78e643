"""
Documents, their index entries and their past versions in one SQLite file.

Versions are commit times in microseconds, strictly growing, also over restarts.
History holds each version that was replaced or deleted, with the half-open span of
versions in which it was the current one, until `prune` forgets it.

Durability: WAL with synchronous=NORMAL.  An acknowledged write is in the kernel's
hands and so survives the death of this process at any instant.  `power_safe` syncs
each group of commits to the disk as well, for machines that lose power.
"""

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path as FilePath
from typing import Final

from .documents import StoredDocument
from .indexes import Entry
from .paths import BELOW

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS documents (
    id INTEGER PRIMARY KEY,
    name BLOB NOT NULL UNIQUE,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS documents_by_update ON documents (updated);
CREATE TABLE IF NOT EXISTS entries (
    bucket INTEGER NOT NULL,
    value BLOB NOT NULL,
    name BLOB NOT NULL,
    document INTEGER NOT NULL,
    PRIMARY KEY (bucket, value, name)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS history (
    id INTEGER PRIMARY KEY,
    name BLOB NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    created INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS history_by_name ON history (name, until);
CREATE INDEX IF NOT EXISTS history_by_end ON history (until);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
"""
_COLUMNS: Final = "name, created, updated, data"
_MAX_IDLE_READERS: Final = 8
# Of each connection.  A larger one gains nothing, as the kernel caches the file too,
# and fills for half an hour: no faster with 32 MiB and 100,000 documents.
_CACHE_KIB: Final = 4_096
_LOG_LIMIT_BYTES: Final = 64 * 1024 * 1024  # the log's size on disk when it restarts
_LONG_LOG_FRAMES: Final = 8_192  # pages of 4 KiB
_PRUNE_ROWS: Final = 2_000


class Store:
    """
    One writing connection and a pool of reading ones; all used from one thread.

    Readers see committed data only.  What is written becomes visible, and durable,
    by `commit`.
    """

    def __init__(self, file: FilePath, *, power_safe: bool = False) -> None:
        self._file = file
        self._sync = "FULL" if power_safe else "NORMAL"
        self.writer = self._connect()
        self.writer.executescript(_SCHEMA)
        self.reader = self._connect()
        self._idle: list[sqlite3.Connection] = []
        self.horizon = self.get_meta("horizon", 0)  # oldest version still readable
        self.database_id = self.get_meta("database_id", 0) or secrets.randbits(62)
        self.set_meta("database_id", self.database_id)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
        )
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={self._sync}")
        connection.execute("PRAGMA wal_autocheckpoint=0")  # `checkpoint` does it
        connection.execute(f"PRAGMA journal_size_limit={_LOG_LIMIT_BYTES}")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        connection.execute("PRAGMA temp_store=MEMORY")
        return connection

    def close(self) -> None:
        """Fold the log into the database and close every connection."""
        for connection in (self.reader, *self._idle):
            connection.close()
        self.writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.writer.close()

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection that sees one state of the database until it is back."""
        connection = self._idle.pop() if self._idle else self._connect()
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")
            if len(self._idle) < _MAX_IDLE_READERS:
                self._idle.append(connection)
            else:
                connection.close()

    def checkpoint(self) -> bool:
        """
        Move the log into the database file.  Blocks for the disk; any thread.

        What is written meanwhile, and what readers still need, stays in the log.

        Returns:
            Whether the log is so long that `restart_log` is due.
        """
        _, frames, _ = self._run_checkpoint("PASSIVE")
        return frames > _LONG_LOG_FRAMES

    def restart_log(self) -> None:
        """
        Let the log begin anew, lest it grow for as long as writes never pause.

        Does nothing while a reader needs the log.  Blocks for the disk; any thread,
        but between two commits.
        """
        with suppress(sqlite3.OperationalError):  # locked; the next call comes
            self._run_checkpoint("RESTART")

    def _run_checkpoint(self, mode: str) -> tuple[int, int, int]:
        connection = sqlite3.connect(self._file, isolation_level=None, timeout=0.0)
        try:
            row: tuple[int, int, int] = connection.execute(
                f"PRAGMA wal_checkpoint({mode})"
            ).fetchone()
        finally:
            connection.close()
        return row

    # Reading

    def get(
        self, key: bytes, connection: sqlite3.Connection | None = None
    ) -> StoredDocument | None:
        """Return the current version of a document, or None."""
        connection = connection or self.reader
        row = connection.execute(
            "SELECT name, created, updated, data FROM documents WHERE name = ?", (key,)
        ).fetchone()
        return StoredDocument(*row) if row else None

    def get_at(self, key: bytes, version: int) -> StoredDocument | None:
        """Return the version of a document that was current at `version`."""
        current = self.get(key)
        if current is not None and current.updated_us <= version:
            return current
        row = self.reader.execute(
            "SELECT name, created, since, data FROM history"
            " WHERE name = ? AND until > ? AND since <= ? LIMIT 1",
            (key, version, version),
        ).fetchone()
        return StoredDocument(*row) if row else None

    def changed_since(
        self, version: int, connection: sqlite3.Connection | None = None
    ) -> dict[bytes, StoredDocument | None]:
        """
        Return documents that changed after `version`, each as it was at `version`.

        None stands for a document that did not exist then.
        """
        connection = connection or self.reader
        found: dict[bytes, StoredDocument | None] = {
            name: None
            for (name,) in connection.execute(
                "SELECT name FROM documents WHERE updated > ?", (version,)
            )
        }
        for *columns, since in connection.execute(
            "SELECT name, created, since, data, since FROM history WHERE until > ?",
            (version,),
        ):
            document = StoredDocument(*columns)
            if since <= version:
                found[document.key] = document
            else:
                found.setdefault(document.key, None)
        return found

    def below(
        self, key: bytes, connection: sqlite3.Connection, *, after: bytes = b""
    ) -> Iterator[StoredDocument]:
        """Yield the documents below a name key, in order of their names."""
        for row in connection.execute(
            f"SELECT {_COLUMNS} FROM documents"  # noqa: S608 - our own names; values are bound
            " WHERE name >= ? AND name < ? AND name <> ? ORDER BY name",
            (max(key, after), key + BELOW, key),
        ):
            yield StoredDocument(*row)

    def next_name_below(
        self, key: bytes, after: bytes, version: int | None = None
    ) -> bytes | None:
        """
        Return the first document name >= `after` below `key`.

        Args:
            version: Look at that past version instead of at the present.
        """
        if version is None:
            row = self.reader.execute(
                "SELECT name FROM documents WHERE name >= ? AND name < ?"
                " AND name <> ? ORDER BY name LIMIT 1",
                (after, key + BELOW, key),
            ).fetchone()
            return row[0] if row else None
        row = self.reader.execute(
            "SELECT min(name) FROM ("
            "SELECT min(name) AS name FROM documents"
            " WHERE name >= ?1 AND name < ?2 AND name <> ?3 AND updated <= ?4 "
            "UNION ALL SELECT min(name) FROM history"
            " WHERE name >= ?1 AND name < ?2 AND name <> ?3"
            " AND since <= ?4 AND until > ?4)",
            (after, key + BELOW, key, version),
        ).fetchone()
        name: bytes | None = row[0]
        return name

    def every_document(self) -> Iterator[tuple[int, StoredDocument]]:
        """Yield all documents with their row numbers."""
        for number, *columns in self.writer.execute(
            f"SELECT id, {_COLUMNS} FROM documents"  # noqa: S608 - our own names; values are bound
        ):
            yield number, StoredDocument(*columns)

    def expired(
        self, bucket: int, start: bytes, end: bytes, *, limit: int
    ) -> list[StoredDocument]:
        """Return documents with an index entry in [start, end)."""
        rows = self.reader.execute(
            "SELECT d.name, d.created, d.updated, d.data FROM entries e"
            " CROSS JOIN documents d ON d.id = e.document"
            " WHERE e.bucket = ? AND e.value >= ? AND e.value < ? LIMIT ?",
            (bucket, start, end, limit),
        ).fetchall()
        return [StoredDocument(*row) for row in rows]

    # Writing, between begin() and commit()

    def begin(self) -> None:
        """Open the write transaction."""
        self.writer.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make visible and durable what was written.  Blocks for the disk."""
        self.writer.execute("COMMIT")

    def rollback(self) -> None:
        """Forget what was written since `begin`."""
        if self.writer.in_transaction:
            self.writer.execute("ROLLBACK")

    def replace(
        self,
        before: StoredDocument | None,
        after: StoredDocument | None,
        *,
        version: int,
        removed: Iterable[Entry],
        added: Iterable[Entry],
    ) -> None:
        """Put `after` in the place of `before`, which goes into the history."""
        self.writer.executemany(
            "DELETE FROM entries WHERE bucket = ? AND value = ? AND name = ?", removed
        )
        if before is not None:
            self._remember(before, until=version)
        if after is None:
            if before is not None:
                self.writer.execute(
                    "DELETE FROM documents WHERE name = ?", (before.key,)
                )
            return
        (number,) = self.writer.execute(
            "INSERT INTO documents (name, created, updated, data) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET created = excluded.created,"
            " updated = excluded.updated, data = excluded.data RETURNING id",
            (after.key, after.created_us, after.updated_us, after.data),
        ).fetchone()
        self.insert_entries(number, added)

    def _remember(self, document: StoredDocument, *, until: int) -> None:
        self.writer.execute(
            "INSERT INTO history (name, since, until, created, data)"
            " VALUES (?, ?, ?, ?, ?)",
            (
                document.key,
                document.updated_us,
                until,
                document.created_us,
                document.data,
            ),
        )

    def insert_entries(self, document: int, entries: Iterable[Entry]) -> None:
        """Add index entries of the document with this row number."""
        self.writer.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)",
            ((*entry, document) for entry in entries),
        )

    def delete_entries(self, entries: Iterable[Entry]) -> None:
        """Remove index entries."""
        self.writer.executemany(
            "DELETE FROM entries WHERE bucket = ? AND value = ? AND name = ?", entries
        )

    def prune(self, before: int, *, keep_rows: int) -> bool:
        """
        Forget some history that ended at or before version `before`.

        Returns:
            Whether there is more to forget.
        """
        (top,) = self.writer.execute(
            "SELECT coalesce(max(id), 0) FROM history"
        ).fetchone()
        rows = self.writer.execute(
            "SELECT id, until FROM history WHERE until <= ? OR id <= ?"
            " ORDER BY id LIMIT ?",
            (before, top - keep_rows, _PRUNE_ROWS),
        ).fetchall()
        if rows:
            self.writer.execute("DELETE FROM history WHERE id <= ?", (rows[-1][0],))
            self.horizon = max(self.horizon, rows[-1][1])
            self.set_meta("horizon", self.horizon)
        return len(rows) == _PRUNE_ROWS

    # Facts about the database itself

    def get_meta(self, key: str, default: int) -> int:
        """Return a remembered number."""
        row = self.writer.execute(
            "SELECT value FROM meta WHERE key = ?", (key,)
        ).fetchone()
        return row[0] if row else default

    def set_meta(self, key: str, value: int) -> None:
        """Remember a number."""
        self.writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def get_text(self, key: str) -> str:
        """Return a remembered text, empty at first."""
        row = self.writer.execute(
            "SELECT value FROM meta WHERE key = ?", (key,)
        ).fetchone()
        return row[0] if row else ""

    def set_text(self, key: str, value: str) -> None:
        """Remember a text."""
        self.writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def last_version(self) -> int:
        """Return the newest version that anything in the database has."""
        row = self.writer.execute(
            "SELECT max(coalesce((SELECT max(updated) FROM documents), 0),"
            " coalesce((SELECT max(until) FROM history), 0))"
        ).fetchone()
        return max(int(row[0]), self.get_meta("version", 0))

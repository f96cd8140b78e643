"""Queues and tasks in SQLite: what was acknowledged survives the process."""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from . import protocol

# WAL without a sync for each commit: an acknowledged write survives `kill -9` at any
# instant; only the machine's own crash may take the last moments.
_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS queues (name TEXT PRIMARY KEY, config BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    due_us INTEGER NOT NULL,
    in_flight INTEGER NOT NULL DEFAULT 0,
    previous_response INTEGER,
    task BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS by_due ON tasks (queue, in_flight, due_us, id);
CREATE INDEX IF NOT EXISTS by_queue ON tasks (queue, id);
CREATE TABLE IF NOT EXISTS tombstones (
    name TEXT PRIMARY KEY,
    until_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_until ON tombstones (until_us);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """
    A task that waits or is being dispatched.

    Args:
        message: The protobuf Task, counts and attempts included.
        previous_response: HTTP status of the last failed attempt that had one.
        retry_reason: Why the last attempt failed, while the next one is made.
    """

    id: int
    queue: str
    in_flight: bool
    previous_response: int | None
    message: Any
    retry_reason: str = ""


class TaskStore:
    """
    All state of the embedded Cloud Tasks.

    Every method commits before it returns.  One thread only.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(_SCHEMA)
        # Attempts that a crash cut off are made again: delivery is at least once.
        self._db.execute("UPDATE tasks SET in_flight = 0 WHERE in_flight")

    def close(self) -> None:
        """Close the database; the store cannot be used any more."""
        self._db.close()

    # Queues

    def queue(self, name: str) -> Any | None:
        """Return the protobuf Queue, or None."""
        row = self._db.execute(
            "SELECT config FROM queues WHERE name = ?", (name,)
        ).fetchone()
        return None if row is None else protocol.Queue.FromString(row[0])

    def queues(self, location: str, *, after: str = "", limit: int = -1) -> list[Any]:
        """Return queues of a location in the order of their names, beyond `after`."""
        prefix = f"{location}/queues/"
        rows = self._db.execute(
            "SELECT config FROM queues WHERE substr(name, 1, ?) = ? AND name > ?"
            " ORDER BY name LIMIT ?",
            (len(prefix), prefix, after, limit),
        )
        return [protocol.Queue.FromString(row[0]) for row in rows]

    def queue_names(self) -> list[str]:
        """Return all queues' names."""
        return [row[0] for row in self._db.execute("SELECT name FROM queues")]

    def put_queue(self, queue: Any) -> None:
        """Create or replace a queue's configuration."""
        self._db.execute(
            "INSERT INTO queues VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET config = excluded.config",
            (queue.name, queue.SerializeToString()),
        )

    def delete_queue(self, name: str, *, tombstone_until_us: int) -> None:
        """Delete a queue and its tasks; its name stays taken for a while."""
        with self._transaction():
            self._db.execute("DELETE FROM tasks WHERE queue = ?", (name,))
            self._db.execute("DELETE FROM queues WHERE name = ?", (name,))
            self._bury(name, tombstone_until_us)

    def purge(self, queue: Any, *, tombstone_until_us: int) -> None:
        """Delete all tasks of a queue, and keep its changed configuration."""
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO tombstones"
                " SELECT name, ? FROM tasks WHERE queue = ?",
                (tombstone_until_us, queue.name),
            )
            self._db.execute("DELETE FROM tasks WHERE queue = ?", (queue.name,))
            self.put_queue(queue)

    # Tasks

    def add(self, task: Any, queue: str) -> None:
        """Keep a new task; its name must be free."""
        self._db.execute(
            "INSERT INTO tasks (queue, name, due_us, task) VALUES (?, ?, ?, ?)",
            (
                queue,
                task.name,
                task.schedule_time.ToMicroseconds(),
                task.SerializeToString(),
            ),
        )

    def task(self, name: str) -> StoredTask | None:
        """Return a task, or None."""
        found = self._select("name = ?", (name,), "id")
        return found[0] if found else None

    def tasks(self, queue: str, *, after: int, limit: int) -> list[StoredTask]:
        """Return tasks of a queue in the order of their creation, beyond id `after`."""
        return self._select("queue = ? AND id > ?", (queue, after), "id", limit)

    def due(self, queue: str, *, now_us: int, limit: int) -> list[StoredTask]:
        """Return tasks whose time has come and which are not in flight, first first."""
        return self._select(
            "queue = ? AND in_flight = 0 AND due_us <= ?",
            (queue, now_us),
            "due_us, id",
            limit,
        )

    def next_due_us(self, queue: str) -> int | None:
        """Return when the next task is due that is not in flight."""
        row = self._db.execute(
            "SELECT MIN(due_us) FROM tasks WHERE queue = ? AND in_flight = 0", (queue,)
        ).fetchone()
        return None if row[0] is None else int(row[0])

    def begin(self, task: Any) -> None:
        """Note that an attempt is under way."""
        self._db.execute(
            "UPDATE tasks SET in_flight = 1, task = ? WHERE name = ?",
            (task.SerializeToString(), task.name),
        )

    def postpone(self, task: Any, *, previous_response: int | None) -> None:
        """Let a failed task wait until its new schedule_time; gone ones stay gone."""
        self._db.execute(
            "UPDATE tasks SET in_flight = 0, due_us = ?, task = ?,"
            " previous_response = ? WHERE name = ?",
            (
                task.schedule_time.ToMicroseconds(),
                task.SerializeToString(),
                previous_response,
                task.name,
            ),
        )

    def finish(self, name: str, *, tombstone_until_us: int) -> None:
        """Drop a task that is done, given up or deleted; its name stays taken."""
        with self._transaction():
            self._db.execute("DELETE FROM tasks WHERE name = ?", (name,))
            self._bury(name, tombstone_until_us)

    # Names that were used lately

    def buried(self, name: str, *, now_us: int) -> bool:
        """Return whether a task or queue of this name was there lately."""
        row = self._db.execute(
            "SELECT 1 FROM tombstones WHERE name = ? AND until_us > ?", (name, now_us)
        ).fetchone()
        return row is not None

    def forget(self, *, now_us: int) -> None:
        """Drop tombstones whose time is over."""
        self._db.execute("DELETE FROM tombstones WHERE until_us <= ?", (now_us,))

    def _bury(self, name: str, until_us: int) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO tombstones VALUES (?, ?)", (name, until_us)
        )

    def _select(
        self, where: str, values: tuple[object, ...], order: str, limit: int = -1
    ) -> list[StoredTask]:
        rows = self._db.execute(
            "SELECT id, queue, in_flight, previous_response, task FROM tasks"  # noqa: S608 - our own names; values are bound
            f" WHERE {where} ORDER BY {order} LIMIT ?",  # own texts, values bound
            (*values, limit),
        )
        return [
            StoredTask(
                id=number,
                queue=queue,
                in_flight=bool(in_flight),
                previous_response=previous,
                message=protocol.Task.FromString(blob),
            )
            for number, queue, in_flight, previous, blob in rows
        ]

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

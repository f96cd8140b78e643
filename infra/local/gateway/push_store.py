"""Messages that the push sink took, kept in SQLite."""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_SCHEMA: Final = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS by_target ON messages (target_kind, target, id);
"""
_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PushMessage:
    """
    One message as it was sent.

    Args:
        name: "projects/…/messages/…", as FCM answered it.
        received_at: RFC 3339, UTC.
    """

    name: str
    received_at: str
    target_kind: str
    target: str
    message: dict[str, Any]


class PushStore:
    """
    Append-only log of messages; the oldest are dropped beyond 10,000.

    An `add` that returned survives the process's end, however that comes.
    """

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the database; the store cannot be used any more."""
        self._db.close()

    def add(
        self, message: dict[str, Any], *, kind: str, target: str, received_at: str
    ) -> int:
        """Keep one message and return its number, which is never given again."""
        cursor = self._db.execute(
            "INSERT INTO messages (received_at, target_kind, target, message)"
            " VALUES (?, ?, ?, ?)",
            (received_at, kind, target, json.dumps(message)),
        )
        number = int(cursor.lastrowid or 0)
        self._db.execute("DELETE FROM messages WHERE id <= ?", (number - _KEPT,))
        return number

    def to_devices(self, devices: Collection[str], *, limit: int) -> list[PushMessage]:
        """Return what these devices were sent, oldest first: the last `limit`."""
        marks = ",".join("?" * len(devices))
        return self._read(
            f"target_kind IN ('token', 'fid') AND target IN ({marks})",
            tuple(devices),
            limit,
        )

    def latest(self, *, limit: int) -> list[PushMessage]:
        """Return the last `limit` messages to anybody, oldest first."""
        return self._read("TRUE", (), limit)

    def _read(
        self, where: str, values: tuple[str, ...], limit: int
    ) -> list[PushMessage]:
        rows = self._db.execute(
            "SELECT id, received_at, target_kind, target, message"  # noqa: S608 - our own names; values are bound
            f" FROM messages WHERE {where} ORDER BY id DESC LIMIT ?",  # own texts
            (*values, limit),
        ).fetchall()
        return [
            PushMessage(
                name=str(number),
                received_at=received_at,
                target_kind=kind,
                target=target,
                message=json.loads(message),
            )
            for number, received_at, kind, target, message in reversed(rows)
        ]

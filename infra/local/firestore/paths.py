"""
Resource names, and their encoding as bytes that sort as Firestore sorts names.

A *name key* starts with the database, then one encoded segment after the other.
Numeric ids (`__id7__`) sort as numbers before all other ids.  A document's key is
a prefix of the keys of everything below it, and of nothing else.  With `END` behind it,
as indexes and sort keys have it, no key is a prefix of another.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from .errors import invalid

MAX_SEGMENT_BYTES: Final = 1500
MAX_NAME_BYTES: Final = 6 * 1024
BELOW: Final = b"\xff"  # greater than the first byte of every segment
END: Final = b"\x00"  # less than the first byte of every segment
_NUMERIC: Final = re.compile(r"__id(-?\d+)__")
_RESERVED: Final = re.compile(r"__.*__", re.DOTALL)
_DATABASE: Final = re.compile(r"projects/([^/]+)/databases/([^/]+)")
_INT64_OFFSET: Final = 1 << 63


@dataclass(frozen=True, slots=True)
class Path:
    """
    A document, a collection, or the root of a database (no segments).

    Args:
        database: "projects/{project}/databases/{database}".
        segments: Collection and document ids in turn.
    """

    database: str
    segments: tuple[str, ...]

    @classmethod
    def parse(cls, name: str) -> Self:
        """
        Read a resource name, as `projects/p/databases/d/documents/rooms/a`.

        Raises:
            StatusError: INVALID_ARGUMENT, the name is malformed.
        """
        database, found, rest = name.partition("/documents")
        if not found or not _DATABASE.fullmatch(database):
            raise invalid(f'Document name "{name}" is not a resource name.')
        if not rest:
            return cls(database, ())
        if rest[0] != "/" or not all(segments := rest[1:].split("/")):
            raise invalid(f'Document name "{name}" contains an empty segment.')
        return cls(database, tuple(segments))

    @property
    def name(self) -> str:
        """Return the full resource name."""
        return "/".join((self.database, "documents", *self.segments))

    @property
    def is_document(self) -> bool:
        """Return whether this names a document."""
        return len(self.segments) > 0 and len(self.segments) % 2 == 0

    @property
    def parent(self) -> "Path":
        """Return the path without its last segment."""
        return Path(self.database, self.segments[:-1])

    def child(self, segment: str) -> "Path":
        """Return the path one segment below this one."""
        return Path(self.database, (*self.segments, segment))

    def key(self) -> bytes:
        """Return the name key."""
        return encode_segment(self.database) + b"".join(
            encode_segment(segment) for segment in self.segments
        )


@lru_cache(maxsize=8192)
def encode_segment(segment: str) -> bytes:
    """Return bytes that sort among segments as Firestore sorts ids."""
    if number := _NUMERIC.fullmatch(segment):
        return b"\x01" + (int(number[1]) + _INT64_OFFSET).to_bytes(8, "big")
    return b"\x02" + escape(segment.encode())


def escape(raw: bytes) -> bytes:
    """Return `raw` with an end mark, so that no encoding is a prefix of another."""
    return raw.replace(b"\x00", b"\x00\xff") + b"\x00\x01"


def decode_key(key: bytes) -> Path:
    """Return the path that `Path.key` encoded."""
    segments = []
    start = 0
    while start < len(key):
        if key[start] == 1:
            number = int.from_bytes(key[start + 1 : start + 9], "big")
            segments.append(f"__id{number - _INT64_OFFSET}__")
            start += 9
        else:
            end = key.index(b"\x00\x01", start + 1)
            raw = key[start + 1 : end].replace(b"\x00\xff", b"\x00")
            segments.append(raw.decode())
            start = end + 2
    return Path(segments[0], tuple(segments[1:]))


def document_path(name: str) -> Path:
    """
    Read the name of a document that may be read or written.

    Raises:
        StatusError: INVALID_ARGUMENT, not a document or an id is not allowed.
    """
    path = Path.parse(name)
    if not path.is_document:
        raise invalid(f'Document name "{name}" has the wrong number of segments.')
    if len(name.encode()) > MAX_NAME_BYTES:
        raise invalid(f'Document name "{name[:80]}…" is longer than 6144 bytes.')
    for segment in path.segments:
        check_id(segment)
    return path


def check_id(segment: str) -> None:
    """
    Refuse ids that production refuses.

    Raises:
        StatusError: INVALID_ARGUMENT, reserved, too long, or a dot name.
    """
    if segment in (".", ".."):
        raise invalid(f'Resource id "{segment}" is invalid because it is a dot name.')
    if _RESERVED.fullmatch(segment):
        number = _NUMERIC.fullmatch(segment)
        if not number or not -_INT64_OFFSET <= int(number[1]) < _INT64_OFFSET:
            raise invalid(f'Resource id "{segment}" is invalid because it is reserved.')
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        raise invalid(
            f'Resource id "{segment[:80]}…" is longer than {MAX_SEGMENT_BYTES} bytes.'
        )

"""Field paths (`a.b`, with backquotes where needed) and what they reach in a map."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from .errors import invalid
from .protocol import Message

DOCUMENT_NAME: Final = "__name__"
FieldPath = tuple[str, ...]
MAX_FIELD_PATH_BYTES: Final = 1500
_SIMPLE: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_TOKEN: Final = re.compile(
    r"(?P<simple>[A-Za-z_][A-Za-z_0-9]*)|`(?P<quoted>(?:[^`\\]|\\.)+)`", re.DOTALL
)


@lru_cache(maxsize=4096)
def parse_field_path(text: str) -> FieldPath:
    """
    Split a field path at its dots; backquoted parts may hold any character.

    Raises:
        StatusError: INVALID_ARGUMENT, the path is empty or malformed.
    """
    parts: list[str] = []
    position = 0
    while True:
        token = _TOKEN.match(text, position)
        if token is None:
            raise invalid(f'Invalid property path "{text}".')
        quoted = token["quoted"]
        parts.append(token["simple"] or re.sub(r"\\(.)", r"\1", quoted))
        position = token.end()
        if position == len(text):
            return tuple(parts)
        if text[position] != ".":
            raise invalid(f'Invalid property path "{text}".')
        position += 1


def format_field_path(path: FieldPath) -> str:
    """Return the text that `parse_field_path` reads as `path`."""
    return ".".join(part if _SIMPLE.fullmatch(part) else _quote(part) for part in path)


def _quote(part: str) -> str:
    escaped = part.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"


def get_field(fields: Message, path: FieldPath) -> Message | None:
    """Return the Value at `path` in a map of fields, or None where there is none."""
    *parents, last = path
    for part in parents:
        if part not in fields:
            return None
        fields = fields[part].map_value.fields
    return fields.get(last)


def set_field(fields: Message, path: FieldPath, value: Message) -> None:
    """Put `value` at `path`, replacing whatever is not a map on the way."""
    *parents, last = path
    for part in parents:
        fields[part].map_value.SetInParent()
        fields = fields[part].map_value.fields
    fields[last].CopyFrom(value)


def delete_field(fields: Message, path: FieldPath) -> None:
    """Remove the field at `path`, if it exists; maps above it stay."""
    *parents, last = path
    for part in parents:
        if part not in fields:
            return
        fields = fields[part].map_value.fields
    if last in fields:
        del fields[last]


def leaf_fields(
    fields: Message, above: FieldPath = ()
) -> Iterator[tuple[FieldPath, Message]]:
    """Yield every field and sub-field of nested maps with its path."""
    for name, value in fields.items():
        path = (*above, name)
        yield path, value
        if value.HasField("map_value"):
            yield from leaf_fields(value.map_value.fields, path)

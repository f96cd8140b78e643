"""Between Firestore's documents and the room's values."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from spaces_contract.ids import UserId
from spaces_contract.recording import desired_recording
from spaces_contract.roles import Role
from spaces_contract.runtime import ParticipantField, SpaceField

from ..room.ports import DesiredMember, DesiredState
from .protocol import Document, Value

logger = logging.getLogger(__name__)

Fields = Mapping[str, Any]
Writable = str | bool | int | Mapping[str, "Writable"] | Iterable[str]

LIVE = "live"


def decode(document: Any) -> dict[str, Any]:
    """Return the scalars and maps of a raw `Document` message, or of a map in one."""
    fields: dict[str, Any] = {}
    for name, value in document.fields.items():
        kind = value.WhichOneof("value_type")
        if kind in ("boolean_value", "integer_value", "string_value"):
            fields[name] = getattr(value, kind)
        elif kind == "map_value":
            fields[name] = decode(value.map_value)
    return fields


def encode(fields: Mapping[str, Writable]) -> dict[str, Value]:
    """Return `fields` as a document's `fields`."""
    return {name: _encode_value(value) for name, value in fields.items()}


def document(name: str, fields: Mapping[str, Writable]) -> Document:
    """Return a document to write."""
    return Document(name=name, fields=encode(fields))


def desired_state(
    space: Fields | None,
    stage: Iterable[Fields],
    removed: Mapping[str, Fields],
    recording: Fields | None = None,
) -> DesiredState:
    """
    Return what these documents want of the room.

    Args:
        space: Fields of the Space; None where it was deleted, which ends it.
        stage: Fields of participants on stage; what cannot be read is left out.
        removed: Fields of participants who were removed, by their documents' ids: who
            has erased their account is named by nothing else.
        recording: Fields of what is to be recorded; None where nothing is.
    """
    space = space or {}
    members = [member for fields in stage if (member := _member(fields)) is not None]
    return DesiredState(
        epoch=int(space.get(SpaceField.EPOCH, 0)),
        live=space.get(SpaceField.STATE) == LIVE,
        title=str(space.get(SpaceField.TITLE) or ""),
        stage={member.user_id: member for member in members},
        removed=frozenset(map(UserId, removed))
        | {
            UserId(str(name))
            for fields in removed.values()
            if (name := fields.get(ParticipantField.ANONYMOUS_ID)) is not None
        },
        recording=desired_recording(recording),
        host_away=space.get(SpaceField.HOST_AWAY) is True,
        acting_host_id=_uid(space.get(SpaceField.ACTING_HOST_ID)),
    )


def _uid(value: object) -> UserId | None:
    return UserId(value) if isinstance(value, str) else None


def _member(fields: Fields) -> DesiredMember | None:
    try:
        return DesiredMember(
            user_id=UserId(str(fields[ParticipantField.UID])),
            role=Role(fields[ParticipantField.ROLE]),
            muted=fields.get(ParticipantField.MUTED) is not False,
            handle=str(fields.get(ParticipantField.HANDLE, "")),
            display_name=str(fields.get(ParticipantField.DISPLAY_NAME, "")),
        )
    except (KeyError, ValueError):
        logger.error("participant unreadable", extra={"fields": sorted(fields)})
        return None


def _encode_value(value: Writable) -> Value:
    if isinstance(value, str):
        return Value(string_value=value)
    if isinstance(value, bool):  # which is an int as well
        return Value(boolean_value=value)
    if isinstance(value, int):
        return Value(integer_value=value)
    if isinstance(value, Mapping):
        return Value(map_value={"fields": encode(value)})
    return Value(array_value={"values": [Value(string_value=v) for v in value]})

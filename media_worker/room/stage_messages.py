"""The texts of a stage channel's messages (`spaces_contract.room_state`)."""

import json
from collections.abc import Iterable
from dataclasses import asdict

from spaces_contract.roles import PeerCloseReason, Role
from spaces_contract.room_state import RoomState, StageMessage, StageNetwork


def room_message(room: RoomState) -> str:
    """Return what carries `room`."""
    return _text({"type": StageMessage.ROOM, "room": room.to_json()})


def you_message(*, role: Role, muted: bool, removed: bool) -> str:
    """Return what tells somebody what they are."""
    return _text(
        {"type": StageMessage.YOU, "role": role, "muted": muted, "removed": removed}
    )


def network_message(people: Iterable[StageNetwork]) -> str:
    """Return what tells how everybody on stage is connected."""
    told = [asdict(each) for each in people]
    return _text({"type": StageMessage.NETWORK, "people": told})


def echo_message() -> str:
    """Return what tells somebody that their microphone picks up others."""
    return _text({"type": StageMessage.ECHO})


def closing_message(reason: PeerCloseReason) -> str:
    """Return what tells why a session is about to end."""
    return _text({"type": StageMessage.CLOSING, "reason": reason})


def _text(message: dict[str, object]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)

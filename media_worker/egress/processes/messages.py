"""What a room and its egress processes tell each other besides sound."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final

# Requests carry a number, and their answer the same.


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """
    Room: open a session.

    Args:
        traceparent: What it is part of, where the room traces it: its steps are to be
            told.
    """

    request: int
    session_id: str
    user_id: str
    grant_id: str
    kind: str  # PeerKind
    offer: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Room: close a session."""

    session_id: str
    reason: str  # PeerCloseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Room: tell how you are."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Room: close all sessions at once, and end."""

    reason: str  # PeerCloseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Egress: the port is bound, sessions can be opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Egress: the session is open."""

    request: int
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Egress: the session was not opened."""

    request: int
    code: str  # ControlError
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """Egress: a session's DTLS is up."""

    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Egress: a session that is traced has made a step."""

    session_id: str
    step: str  # Step
    at_ns: int  # since 1970


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Egress: a session has ended."""

    session_id: str
    reason: str  # PeerCloseReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Draining:
    """Egress: open nothing more here, I am leaving."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    Egress: how I am.

    Args:
        transport: Fields of `EndpointCounters`.
        fan_out: Fields of `FanOutCounters`.
        lost: Loss that clients last reported, 0 to 1, by session; 0 is left out.
    """

    request: int
    cpu_s: float
    rss_bytes: int
    transport: Mapping[str, int]
    fan_out: Mapping[str, int]
    lost: Mapping[str, float] = field(default_factory=dict)


Order = Open | Close | Ask | Stop
Notice = Ready | Answered | Refused | Connected | Reached | Closed | Draining | Report

_TYPES: Final[Mapping[str, type[Any]]] = {
    each.__name__: each
    for each in (
        *(Open, Close, Ask, Stop),
        *(Ready, Answered, Refused, Connected, Reached, Closed, Draining, Report),
    )
}


def encode(message: Order | Notice) -> bytes:
    """Return a message as a line."""
    fields = {"type": type(message).__name__, **asdict(message)}
    return json.dumps(fields, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Order | Notice:
    """Return the message of a line; the other end is this very program."""
    fields = json.loads(line)
    message: Order | Notice = _TYPES[fields.pop("type")](**fields)
    return message

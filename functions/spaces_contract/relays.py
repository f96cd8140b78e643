"""
Relays: further workers of a Space, which fan out what its first, the origin, mixes.

A relay hears the origin as any WHEP client does, and tells it how many hear the relay:

    POST {control_url}/feeds/{index}   body: SDP offer -> 201 SDP answer
    PUT  {control_url}/feeds/{index}   body: `RelayReport` -> 204
         at least every `REPORT_INTERVAL_S`; session-not-found: the feed is over there.

Both are under the one forward which functions leave in the relay's runtime document:
its method is `FEED`, its `session_id` the index, and no body is bound to it.  It is
good for one relay, one epoch and `FEED_LIFETIME_S`.

The origin names its relays in its own runtime document (`RuntimeField.RELAYS`), so that
functions find all workers of a Space in the one document that they read anyway.
"""

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from .ids import SessionId, UserId

FEED: Final = "FEED"  # `method` of the forward
FEED_LIFETIME_S: Final = 7 * 86_400  # a relay that needs longer is placed anew
REPORT_INTERVAL_S: Final = 2.0
FORGOTTEN_AFTER_S: Final = 10.0  # without a report
MAX_RELAYS: Final = 64
MAX_COUNT: Final = 1_000_000
MAX_ARRIVED: Final = 200  # in one report

_RELAY: Final = "relay:"  # no uid and no pseudonym has a colon
# An origin's session ids are 24 characters; a relay's have their index behind.
_SESSION: Final = re.compile(r"[A-Za-z0-9_-]{24}-([0-9]{1,6})")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayReport:
    """
    What a relay tells its origin, and the origin the functions.

    Args:
        control_url: Where the relay itself opens sessions.
        listeners: Who hear it now.
        capacity: How many could; 0 while it takes nobody.
        lossy: How many of the listeners lose packets, so that FEC would help them.
        loss_percent: What the typical one of those loses.
        arrived: Who began to hear it since the last report that the origin took, at
            most `MAX_ARRIVED`: it counts them as listeners by HLS no more.
    """

    control_url: str
    listeners: int
    capacity: int
    lossy: int = 0
    loss_percent: int = 0
    arrived: tuple[UserId, ...] = ()

    def to_json(self) -> bytes:
        """Return the body of a report."""
        return json.dumps(asdict(self)).encode()

    def to_fields(self) -> dict[str, str | int]:
        """Return what stands of it in the origin's runtime document."""
        fields = asdict(self)
        del fields["arrived"]
        return fields

    @classmethod
    def from_json(cls, body: bytes) -> Self:
        """
        Read a body.

        Raises:
            ValueError: it is none.
        """
        return cls.from_fields(json.loads(body))

    @classmethod
    def from_fields(cls, fields: Any) -> Self:
        """
        Read a JSON object or a document's map.

        Raises:
            ValueError: a field is missing or out of bounds.
        """
        match fields:
            case {
                "control_url": str(control_url),
                "listeners": int(listeners),
                "capacity": int(capacity),
            } if (
                0 <= listeners <= MAX_COUNT
                and 0 <= capacity <= MAX_COUNT
                and control_url.startswith(("http://", "https://"))
            ):
                lossy, loss_percent = (
                    _bounded(fields.get(name, 0), most)  # relays of before tell neither
                    for name, most in (("lossy", listeners), ("loss_percent", 100))
                )
                return cls(
                    control_url=control_url,
                    listeners=listeners,
                    capacity=capacity,
                    lossy=lossy,
                    loss_percent=loss_percent,
                    arrived=_arrived(fields.get("arrived", [])),
                )
        raise ValueError("it is no relay's report")


def _bounded(value: object, most: int) -> int:
    if isinstance(value, int) and 0 <= value <= most:
        return value
    raise ValueError("it is no relay's report")


def _arrived(value: object) -> tuple[UserId, ...]:
    if isinstance(value, list) and len(value) <= MAX_ARRIVED:
        return tuple(UserId(str(user_id)) for user_id in value)
    raise ValueError("it is no relay's report")


def relay_user(index: int) -> UserId:
    """Return what a relay is called at its origin."""
    return UserId(f"{_RELAY}{index}")


def is_relay(user_id: str) -> bool:
    """Whether a session's holder is a relay and no person."""
    return user_id.startswith(_RELAY)


def relay_session(token: str, index: int) -> SessionId:
    """
    Return the id of a relay's session.

    Args:
        token: 24 random characters.
    """
    return SessionId(f"{token}-{index}")


def relay_of(session_id: str) -> int | None:
    """Return which relay holds a session; None: the origin."""
    match = _SESSION.fullmatch(session_id)
    return None if match is None else int(match[1])

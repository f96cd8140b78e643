"""
`room.json` version 1, and the messages of the stage's data channel.

`room.json` is what everybody may see of a live Space.  The worker rewrites it at
most once a second; people on stage get the same state by data channel at once:

    {"type": "room", "room": <room.json>}
    {"type": "you", "role": Role, "muted": bool, "removed": bool}
    {"type": "closing", "reason": PeerCloseReason}
    {"type": "echo"}    your microphone picks up others: use headphones
    {"type": "network", "people": [<StageNetwork>]}    to hosts and co-hosts alone
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final

from .reactions import EMOJIS

ROOM_SCHEMA: Final = 1
MAX_ROOM_JSON_BYTES: Final = 8 * 1024


class StageMessage(StrEnum):
    """Value of `type` in a data channel message."""

    ROOM = "room"
    YOU = "you"
    CLOSING = "closing"
    ECHO = "echo"
    NETWORK = "network"


class NetworkGrade(StrEnum):
    """How well somebody on stage is connected."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


@dataclass(frozen=True, slots=True, kw_only=True)
class StageNetwork:
    """
    The network of one person on stage in the last seconds, for hosts to see.

    Args:
        sent_lost: Share of what they said that did not arrive, 0 to 1.
        heard_lost: Share of what they were sent that they missed, 0 to 1.
        jitter_ms: How unevenly what they say arrives (RFC 3550 6.4.1).
    """

    uid: str
    grade: NetworkGrade
    sent_lost: float
    heard_lost: float
    jitter_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StageMember:
    """
    One person on stage.

    Args:
        csrc: 32-bit id that RTP packets of the mix list while this person talks
            (RFC 3550 5.1); stable for the epoch.
        connected: Whether the worker has media from them just now.
    """

    uid: str
    handle: str
    display_name: str
    role: str
    muted: bool
    connected: bool
    csrc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsKey:
    """
    Which key encrypts what is said now, so that clients fetch the next one in time.

    Args:
        rotates_at: RFC 3339, UTC: from then on it is key `n + 1`.
    """

    n: int
    rotates_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomState:
    """
    Public state of a live Space, as of one version.

    Args:
        version: Grows by one with every change, and never within an epoch shrinks.
        state: "live" or "ended"; after "ended" nothing follows.
        listener_count: People who listen, by WebRTC or by HLS, anonymous included.
        talking: uids of those who are heard just now, loudest first.
        recording_state: State word only; never who consented.
        recording_notice_version: Of the notice that everybody gets; empty while there
            is no recording.  People on stage ask the API for their own answer.
        host_away: The host lost their connection and no co-host acts for them: the
            Space waits, and ends where nobody comes back.
        acting_host_id: The co-host who acts for a host who lost their connection.
        reactions: Emoji -> how often it came in this epoch; clients show what was
            added since they last looked.
        listeners_by_process: How the worker has spread those who receive: the room's
            own process, then its egress processes.
        hls_key: None while no HLS is made.
        updated_at: RFC 3339, UTC.
    """

    space_id: str
    epoch: int
    version: int
    state: str
    title: str
    stage: tuple[StageMember, ...]
    talking: tuple[str, ...]
    listener_count: int
    participant_count: int
    recording_state: str
    updated_at: str
    recording_notice_version: str = ""
    host_away: bool = False
    acting_host_id: str | None = None
    reactions: Mapping[str, int] = field(default_factory=dict)
    listeners_by_process: tuple[int, ...] = (0,)
    hls_key: HlsKey | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the object of `room.json`, `schema` first."""
        return {"schema": ROOM_SCHEMA, **asdict(self)}


ROOM_JSON_SCHEMA: Final[Mapping[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Parley room.json",
    "type": "object",
    "required": [
        "schema",
        "space_id",
        "epoch",
        "version",
        "state",
        "title",
        "stage",
        "talking",
        "listener_count",
        "participant_count",
        "recording_state",
        "recording_notice_version",
        "updated_at",
        "host_away",
        "acting_host_id",
        "reactions",
        "listeners_by_process",
        "hls_key",
    ],
    "properties": {
        "schema": {"const": ROOM_SCHEMA},
        "listeners_by_process": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "integer", "minimum": 0},
        },
        "space_id": {"type": "string"},
        "epoch": {"type": "integer", "minimum": 1},
        "version": {"type": "integer", "minimum": 0},
        "state": {"enum": ["live", "ended"]},
        "title": {"type": "string"},
        "stage": {
            "type": "array",
            "maxItems": 13,
            "items": {
                "type": "object",
                "required": [
                    "uid",
                    "handle",
                    "display_name",
                    "role",
                    "muted",
                    "connected",
                    "csrc",
                ],
                "properties": {
                    "uid": {"type": "string"},
                    "handle": {"type": "string"},
                    "display_name": {"type": "string"},
                    "role": {"enum": ["host", "co_host", "speaker"]},
                    "muted": {"type": "boolean"},
                    "connected": {"type": "boolean"},
                    "csrc": {"type": "integer", "minimum": 1, "maximum": 4294967295},
                },
            },
        },
        "talking": {"type": "array", "items": {"type": "string"}},
        "listener_count": {"type": "integer", "minimum": 0},
        "participant_count": {"type": "integer", "minimum": 0},
        "recording_state": {"type": "string"},
        "recording_notice_version": {"type": "string"},
        "hls_key": {
            "type": ["object", "null"],
            "required": ["n", "rotates_at"],
            "properties": {
                "n": {"type": "integer", "minimum": 0},
                "rotates_at": {"type": "string", "format": "date-time"},
            },
        },
        "updated_at": {"type": "string", "format": "date-time"},
        "host_away": {"type": "boolean"},
        "acting_host_id": {"type": ["string", "null"]},
        "reactions": {
            "type": "object",
            "propertyNames": {"enum": list(EMOJIS)},
            "additionalProperties": {"type": "integer", "minimum": 1},
        },
    },
}

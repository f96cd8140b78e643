"""An example of each body that comes in, and of what most answers hold."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from .problems import PROBLEM_BASE

UID: Final = "0cWNhIbcOIALbmg2wdNbSpCRUQjw"
OTHER_UID: Final = "9Xk2LmQz7RtYbVnC4WpHs81DfGaE"
SPACE_ID: Final = "JbN5Ak937VrRg"
START: Final = "2030-05-04T17:30:00.000Z"
EARLIER: Final = "2030-05-01T09:00:00.000Z"
SPACE: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "id": SPACE_ID,
        "state": "scheduled",
        "title": "Tea and bridges",
        "topics": ["tea", "bridges"],
        "lang": "en",
        "speaker_policy": "invited",
        "creator_id": UID,
        "host": {"uid": UID, "handle": "ana", "display_name": "Ana"},
        "host_ids": [UID],
        "speaker_ids": [],
        "invited_user_ids": [],
        "scheduled_start": START,
        "started_at": None,
        "ended_at": None,
        "end_reason": None,
        "created_at": EARLIER,
        "updated_at": EARLIER,
        "participant_count": 0,
        "subscriber_count": 12,
        "schedule_version": 1,
        "epoch": 0,
        "acting_host_id": None,
        "host_away": False,
        "recording_state": "off",
        "url": f"https://parley.example/s/{SPACE_ID}",
    }
)
# By the name of the schema.
EXAMPLES: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "ProfileBody": {"handle": "ana", "display_name": "Ana"},
        "ProfileView": {
            "uid": UID,
            "handle": "ana",
            "display_name": "Ana",
            "protected": False,
            "created_at": EARLIER,
            "updated_at": EARLIER,
        },
        "SpaceBody": {
            "title": "Tea and bridges",
            "topics": ["tea", "bridges"],
            "lang": "en",
            "speaker_policy": "invited",
            "scheduled_start": START,
        },
        "SpacePatch": {"title": "Tea, bridges and boats", "speaker_policy": "everyone"},
        "SpaceView": dict(SPACE),
        "SpacesView": {"spaces": [dict(SPACE)], "next_page_token": None},
        "JoinBody": {"role": "speaker"},
        "ListenTokenBody": {"anonymous": True},
        "ParticipantBody": {"role": "speaker"},
        "InvitesBody": {"user_ids": [OTHER_UID], "role": "co_host"},
        "ReportBody": {"reason": "spam", "user_id": OTHER_UID, "comment": "Sells tea."},
        "ReactionBody": {"emoji": "👏"},
        "DeviceBody": {
            "platform": "web",
            "token": "fcm-registration-token",
            "app_version": "1.4.0",
            "locale": "en-GB",
            "time_zone": "Europe/Berlin",
        },
        "UsersBody": {"users": [{"uid": UID, "handle": "ana", "display_name": "Ana"}]},
        "EdgesBody": {"edges": [{"uid": UID, "other": OTHER_UID}]},
        "ResolveBody": {"note": "Warned."},
        "RecordingBody": {"requested": True},
        "RecordingEditBody": {"private": True, "trim_start_ms": 15_000},
        "ClipBody": {
            "version": 1,
            "start_ms": 754_000,
            "duration_ms": 30_000,
            "title": "On bridges",
        },
        "ConsentBody": {
            "granted": True,
            "notice_version": "1",
            "scopes": ["archive", "clips"],
        },
        "Problem": {
            "type": f"{PROBLEM_BASE}not-live",
            "title": "Not live",
            "status": 409,
            "detail": "This Space is ended, not live.",
            "instance": f"/v1/spaces/{SPACE_ID}/join",
            "state": "ended",
        },
    }
)

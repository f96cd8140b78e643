"""Values with defaults, so that a test names only what it is about."""

from datetime import UTC, datetime
from typing import Any

from spaces.domain.participant import Participant
from spaces.domain.profile import Profile
from spaces.domain.runtime import Runtime
from spaces.domain.space import Space, SpeakerPolicy
from spaces.domain.states import SpaceState
from spaces_contract.grants import GRANT_LIFETIME_S, Grant
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import PeerKind, Role
from spaces_contract.runtime import WorkerState

NOW = datetime(2030, 5, 4, 12, 0, tzinfo=UTC)
SPACE_ID = SpaceId("1Space1Space1")
HOST = UserId("host")


def a_space(state: SpaceState = SpaceState.LIVE, **fields: Any) -> Space:
    """Return a Space of `HOST`; a live one is in its first epoch."""
    live = state is SpaceState.LIVE
    defaults: dict[str, Any] = {
        "id": SPACE_ID,
        "state": state,
        "title": "Tea and bridges",
        "topics": ("tea",),
        "lang": "en",
        "speaker_policy": SpeakerPolicy.INVITED,
        "creator_id": HOST,
        "host_handle": "host",
        "host_display_name": "Host",
        "host_ids": (HOST,),
        "created_at": NOW,
        "updated_at": NOW,
        "started_at": NOW if live else None,
        "ended_at": NOW if state is SpaceState.ENDED else None,
        "epoch": 1 if live or state is SpaceState.ENDED else 0,
    }
    return Space(**defaults | fields)


def a_profile(user_id: str = "ana", **fields: Any) -> Profile:
    """Return the account of `user_id`, whose handle is their uid."""
    defaults: dict[str, Any] = {
        "user_id": UserId(user_id),
        "handle": user_id.replace("-", "_")[:15],
        "display_name": user_id.capitalize(),
        "protected": False,
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Profile(**defaults | fields)


def a_participant(
    user_id: str = "ana", role: Role = Role.LISTENER, **fields: Any
) -> Participant:
    """Return somebody who is in the Space, unmuted."""
    defaults: dict[str, Any] = {
        "user_id": UserId(user_id),
        "handle": user_id.replace("-", "_")[:15],
        "display_name": user_id.capitalize(),
        "role": role,
        "on_stage": role.on_stage,
        "joined_at": NOW,
        "updated_at": NOW,
    }
    return Participant(**defaults | fields)


def a_runtime(state: WorkerState = WorkerState.READY, **fields: Any) -> Runtime:
    """Return the document of a worker of the first epoch, alive at `NOW`."""
    ready = state is not WorkerState.LAUNCHING
    defaults: dict[str, Any] = {
        "epoch": 1,
        "state": state,
        "control_url": "http://127.0.0.1:9000" if ready else None,
        "launched_at": NOW,
        "heartbeat_at": NOW if ready else None,
    }
    return Runtime(**defaults | fields)


def a_grant(user_id: str = "ana", role: Role = Role.LISTENER, **fields: Any) -> Grant:
    """Return a grant of the first epoch, issued at `NOW`."""
    issued_at_s = int(NOW.timestamp())
    both = (PeerKind.WHIP, PeerKind.WHEP)
    defaults: dict[str, Any] = {
        "grant_id": "grant-1",
        "space_id": SPACE_ID,
        "user_id": user_id,
        "role": role,
        "epoch": 1,
        "kinds": both if role.on_stage else (PeerKind.WHEP,),
        "anonymous": False,
        "issued_at_s": issued_at_s,
        "expires_at_s": issued_at_s + GRANT_LIFETIME_S,
    }
    return Grant(**defaults | fields)


AN_OFFER = (
    b"v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n"
    b"m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
)

"""Roles in a Space, kinds of media session, and why a session ends."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What one participant is in one Space."""

    HOST = "host"
    CO_HOST = "co_host"
    SPEAKER = "speaker"
    LISTENER = "listener"

    @property
    def on_stage(self) -> bool:
        """Whether this role may talk."""
        return self is not Role.LISTENER


class PeerKind(StrEnum):
    """Direction of one media session, by the protocol that opens it."""

    WHIP = "whip"  # RFC 9725: the client sends
    WHEP = "whep"  # draft-ietf-wish-whep: the client receives


class PeerCloseReason(StrEnum):
    """Why a media session ended; told to the client where a channel is left."""

    LEFT = "left"
    REMOVED = "removed"
    DEMOTED = "demoted"
    SPACE_ENDED = "space_ended"
    ICE_FAILED = "ice_failed"
    DTLS_FAILED = "dtls_failed"
    MEDIA_FAILED = "media_failed"
    REPLACED = "replaced"
    WORKER_STOPPING = "worker_stopping"


MAX_CO_HOSTS: Final = 2
MAX_SPEAKERS: Final = 10  # beside the host and the co-hosts
MAX_ON_STAGE: Final = 1 + MAX_CO_HOSTS + MAX_SPEAKERS

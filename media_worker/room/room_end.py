"""Why rooms end, and what their peers are told then."""

from enum import StrEnum
from typing import Final

from spaces_contract.roles import PeerCloseReason


class RoomEnd(StrEnum):
    """Why a room is over."""

    SPACE_ENDED = "space_ended"
    SUPERSEDED = "superseded"  # a higher epoch runs the Space, or ours was taken
    RELIEVED = "relieved"  # the same, by a worker that is there and takes everybody in
    WORKER_STOPPING = "worker_stopping"


CLOSE_REASONS: Final = {
    RoomEnd.SPACE_ENDED: PeerCloseReason.SPACE_ENDED,
    RoomEnd.SUPERSEDED: PeerCloseReason.WORKER_STOPPING,
    RoomEnd.RELIEVED: PeerCloseReason.WORKER_STOPPING,
    RoomEnd.WORKER_STOPPING: PeerCloseReason.WORKER_STOPPING,
}

"""The runtime document: how a worker and the functions speak of a Space's worker."""

from enum import StrEnum
from typing import Final


class WorkerState(StrEnum):
    """Forward-only life of one worker, that is of one epoch."""

    LAUNCHING = "launching"  # written by functions together with a new epoch
    READY = "ready"  # claimed by the worker; its control address answers
    DRAINING = "draining"  # no new sessions; the worker is about to leave
    STOPPED = "stopped"


HEARTBEAT_INTERVAL_S: Final = 5.0
HEARTBEAT_STALE_S: Final = 15.0  # older than this, the watchdog launches anew
# A worker that was launched may have to wait for a machine and for its image; replaced
# before it is there, it would never come.
LAUNCH_LIMIT_S: Final = 60.0


class RuntimeField(StrEnum):
    """Field names of `spaces/{id}/runtime/worker`."""

    EPOCH = "epoch"  # int; the fence
    LEAVING = "leaving"  # bool, by the worker: it serves on until a successor claims
    SUCCESSOR = "successor"  # {epoch, asked_at}, by functions: who may claim next
    STATE = "state"  # WorkerState
    WORKER_ID = "worker_id"  # str, random per process; who claimed the epoch
    CONTROL_URL = "control_url"  # str, private: "http://10.0.0.7:9000"
    UDP_ENDPOINTS = "udp_endpoints"  # list of "host:port", as announced to clients
    LAUNCHED_AT = "launched_at"  # timestamp, by functions
    IN_VAIN = "in_vain"  # int, by functions: launches before it that nobody came of
    HEARTBEAT_AT = "heartbeat_at"  # server timestamp, by the worker
    HEARTBEAT_SEQ = "heartbeat_seq"  # int, grows by one; seen back through Listen
    LISTENER_COUNT = "listener_count"  # int: not on stage, by WebRTC or by HLS
    HLS_LISTENER_COUNT = "hls_listener_count"  # int: those of them who hear HLS
    CAPACITY = "capacity"  # int: how many WebRTC listeners it can take in all
    PARTICIPANT_COUNT = "participant_count"  # int: connected, stage included
    CONNECTED_IDS = "connected_ids"  # list of uids on stage that are connected
    RELAYS = "relays"  # of an origin: {index: relays.RelayReport}; counted above too
    FEED_FORWARD = "feed_forward"  # of a relay's document, by functions: a JWT


class SuccessorField(StrEnum):
    """Field names of `RuntimeField.SUCCESSOR`."""

    EPOCH = "epoch"  # int, above the runtime's; it becomes the Space's by the claim
    ASKED_AT = "asked_at"  # timestamp


class ParticipantField(StrEnum):
    """Field names of `spaces/{id}/participants/{uid}` which the worker reads."""

    UID = "uid"
    ROLE = "role"  # Role
    ON_STAGE = "on_stage"  # bool: role is a stage role, not left, not removed
    MUTED = "muted"  # bool, by the person or by a host
    REMOVED = "removed"  # bool
    ANONYMOUS_ID = "anonymous_id"  # uid of their anonymous sessions, once removed
    HANDLE = "handle"
    DISPLAY_NAME = "display_name"


class SpaceField(StrEnum):
    """Field names of `spaces/{id}` which the worker reads or reports."""

    STATE = "state"  # "scheduled" | "live" | "ended" | "cancelled"
    EPOCH = "epoch"  # by functions, or by the claim of the successor they asked for
    TITLE = "title"
    HOST_AWAY = "host_away"  # bool: nobody leads, and no co-host acts as host
    ACTING_HOST_ID = "acting_host_id"  # uid of the co-host who acts as host, or null
    PARTICIPANT_COUNT = (
        "participant_count"  # the one field that a heartbeat writes there
    )

"""
The worker's private control API: what functions send and what they get back.

    POST   {control_url}/sessions               body: SDP offer  -> 201 SDP answer
    DELETE {control_url}/sessions/{session_id}                   -> 204
    GET    {control_url}/healthz | /readyz | /metrics

Both session calls, and those of `reactions` and `hls`, carry
`Authorization: Bearer <forward>` (see `grants`).  Errors are JSON
`{"code": ControlError, "detail": str}` with the status named below.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

SESSION_ID_HEADER: Final = "Parley-Session-Id"  # of the 201


class ControlError(StrEnum):
    """Why the worker refused; functions pass the code on as the problem's type."""

    INVALID_FORWARD = "invalid-forward"  # signature, expiry, digest, Space or epoch
    STALE_EPOCH = "stale-grant"  # this worker runs another epoch
    NOT_ON_STAGE = "not-on-stage"  # WHIP by someone whom Firestore does not show there
    REMOVED = "removed"
    SESSION_NOT_FOUND = "session-not-found"
    SESSION_REPLACED = "session-replaced"  # another device of the same person has it
    WORKER_FULL = "worker-full"
    WORKER_STOPPING = "worker-stopping"
    SDP_EMPTY = "sdp-empty"
    SDP_TOO_LARGE = "sdp-too-large"
    SDP_MALFORMED = "sdp-malformed"
    SDP_NO_AUDIO = "sdp-no-audio"  # e.g. video only
    SDP_NO_OPUS = "sdp-no-opus"
    SDP_NO_FINGERPRINT = "sdp-no-fingerprint"
    SDP_DIRECTION = "sdp-direction"  # WHIP must send, WHEP must receive
    HLS_STARTING = "hls-starting"  # nothing to play yet; in a moment there is
    HLS_UNAVAILABLE = "hls-unavailable"  # the live edge takes no segments
    HLS_KEY_NOT_FOUND = "hls-key-not-found"  # long gone, or not yet told


CONTROL_STATUS: Final = MappingProxyType(
    {
        ControlError.INVALID_FORWARD: 401,
        ControlError.STALE_EPOCH: 409,
        ControlError.NOT_ON_STAGE: 403,
        ControlError.REMOVED: 403,
        ControlError.SESSION_NOT_FOUND: 404,
        ControlError.SESSION_REPLACED: 409,
        ControlError.WORKER_FULL: 503,
        ControlError.WORKER_STOPPING: 503,
        ControlError.SDP_EMPTY: 400,
        ControlError.SDP_TOO_LARGE: 413,
        ControlError.SDP_MALFORMED: 400,
        ControlError.SDP_NO_AUDIO: 422,
        ControlError.SDP_NO_OPUS: 422,
        ControlError.SDP_NO_FINGERPRINT: 422,
        ControlError.SDP_DIRECTION: 422,
        ControlError.HLS_STARTING: 503,
        ControlError.HLS_UNAVAILABLE: 503,
        ControlError.HLS_KEY_NOT_FOUND: 404,
    }
)

"""Where things are: Firestore documents and objects of the live edge."""

import re
from typing import Final

SPACES: Final = "spaces"
PARTICIPANTS: Final = "participants"
RUNTIME: Final = "runtime"
WORKER: Final = "worker"
RECORDING: Final = "recording"

_SEGMENT: Final = re.compile(r"live/[^/]+/([0-9]{1,9})/[0-9]{1,12}\.ts")
_LIVE_KEY: Final = re.compile(r"live-keys/[^/]+/([0-9]{1,9})/[0-9]{1,12}")


def space(space_id: str) -> str:
    """Document of a Space: the desired state, written by functions alone."""
    return f"{SPACES}/{space_id}"


def participants(space_id: str) -> str:
    """Collection of the people in a Space; anonymous listeners have no document."""
    return f"{SPACES}/{space_id}/{PARTICIPANTS}"


def participant(space_id: str, user_id: str) -> str:
    """Document of one person in one Space."""
    return f"{participants(space_id)}/{user_id}"


def runtime_worker(space_id: str) -> str:
    """Document of the worker that runs a Space: the observed state."""
    return f"{SPACES}/{space_id}/{RUNTIME}/{WORKER}"


def runtime_relay(space_id: str, index: int) -> str:
    """Document of one relay of a Space; see `relays`."""
    return f"{SPACES}/{space_id}/{RUNTIME}/relay-{index}"


def runtime_recording(space_id: str) -> str:
    """Document of what the worker shall record; see `recording.RecordingField`."""
    return f"{SPACES}/{space_id}/{RUNTIME}/{RECORDING}"


def live_edge(space_id: str) -> str:
    """Prefix of all that a Space has on the live edge, of whatever epoch."""
    return f"live/{space_id}/"


def room_object(space_id: str, epoch: int) -> str:
    """Object name of `room.json`; also its path below the public URL."""
    return f"{live_edge(space_id)}{epoch}/room.json"


def playlist_object(space_id: str) -> str:
    """Object name of the HLS media playlist, the same in every epoch."""
    return f"{live_edge(space_id)}audio.m3u8"


def segment_object(space_id: str, epoch: int, number: int) -> str:
    """Object name of one HLS segment by its media sequence number."""
    return f"{live_edge(space_id)}{epoch}/{number}.ts"


def segment_epoch(name: str) -> int | None:
    """Return the epoch of a `segment_object`; None where it is none."""
    return _epoch(_SEGMENT, name)


def live_keys(space_id: str) -> str:
    """Prefix, in the store of keys, of all keys that a CDN serves for a Space."""
    return f"live-keys/{space_id}/"


def live_key_object(space_id: str, epoch: int, number: int) -> str:
    """Object name, in the store of keys, of one HLS key."""
    return f"{live_keys(space_id)}{epoch}/{number}"


def live_key_epoch(name: str) -> int | None:
    """Return the epoch of a `live_key_object`; None where it is none."""
    return _epoch(_LIVE_KEY, name)


def _epoch(pattern: re.Pattern[str], name: str) -> int | None:
    match = pattern.fullmatch(name)
    return int(match[1]) if match else None

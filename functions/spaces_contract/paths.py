"""Where things are: Firestore documents and objects of the live edge."""

from typing import Final

SPACES: Final = "spaces"
PARTICIPANTS: Final = "participants"
RUNTIME: Final = "runtime"
WORKER: Final = "worker"
RECORDING: Final = "recording"


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


def runtime_recording(space_id: str) -> str:
    """Document of what the worker shall record; see `recording.RecordingField`."""
    return f"{SPACES}/{space_id}/{RUNTIME}/{RECORDING}"


def room_object(space_id: str, epoch: int) -> str:
    """Object name of `room.json`; also its path below the public URL."""
    return f"live/{space_id}/{epoch}/room.json"

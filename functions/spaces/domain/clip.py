"""A clip of a recording: a minute of it at most, to be shared by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.recording import StemId

MAX_CLIP: Final = timedelta(seconds=60)
MIN_CLIP: Final = timedelta(seconds=1)
MAX_CLIPS: Final = 50  # of one recording: they are all in its document


class ClipState(StrEnum):
    """How far a clip is."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """
    One clip.

    Args:
        number: From 1; never used again in the same recording.
        start_ms: On the recording clock; so is `end_ms`.
        stems: Whose voices are in it: with any of them it goes.
        attempt: Jobs that were launched for it.
        attempted_at: When the last of them was.
    """

    number: int
    title: str | None
    start_ms: int
    end_ms: int
    stems: tuple[StemId, ...]
    made_by: UserId
    made_at: datetime
    state: ClipState = ClipState.PENDING
    attempt: int = 0
    attempted_at: datetime | None = None

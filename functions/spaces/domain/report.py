"""A complaint about a Space or somebody in it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from .errors import ReportClosed

MAX_COMMENT_CHARS: Final = 500


class ReportReason(StrEnum):
    """What is wrong, in the reporter's eyes."""

    ABUSE = "abuse"
    HATE = "hate"
    VIOLENCE = "violence"
    SELF_HARM = "self_harm"
    SPAM = "spam"
    IMPERSONATION = "impersonation"
    ILLEGAL = "illegal"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Resolution:
    """How an operator closed a report."""

    note: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """
    One complaint.

    Args:
        user_id: Whom it is about; None where it is about the whole Space.
        resolution: None while it is open.
    """

    id: str
    space_id: SpaceId
    reporter_id: UserId
    user_id: UserId | None
    reason: ReportReason
    comment: str
    created_at: datetime
    resolution: Resolution | None = None


def resolve(report: Report, note: str, *, now: datetime) -> Resolution | None:
    """
    Return how the report is closed; None where it is so already.

    Raises:
        ReportClosed: with another note.
    """
    if report.resolution is None:
        return Resolution(note, now)
    if report.resolution.note != note:
        raise ReportClosed
    return None

"""What goes in and out as JSON where operators and host apps call."""

from typing import Final, Literal

from pydantic import Field

from ..domain.report import MAX_COMMENT_CHARS, Report, ReportReason
from .schemas import Answer, Instant, PageQuery, ProfileBody, Request, Uid

MAX_ENTRIES: Final = 100  # in one call


class UserEntry(ProfileBody):
    """One account as the host app knows it."""

    uid: Uid


class UsersBody(Request):
    """Accounts to make or to change."""

    users: list[UserEntry] = Field(min_length=1, max_length=MAX_ENTRIES)


class EdgeEntry(Request):
    """One person's relation to another, to be made or ended."""

    uid: Uid
    other: Uid
    ended: bool = False


class EdgesBody(Request):
    """Relations to make or to end."""

    edges: list[EdgeEntry] = Field(min_length=1, max_length=MAX_ENTRIES)


class EntryResult(Answer):
    """What became of one entry; `code` is a problem's, where it failed."""

    uid: str
    status: Literal["saved", "failed"]
    code: str | None


class ResultsView(Answer):
    """What became of each entry, in the order in which they were sent."""

    results: list[EntryResult]


class ReportsQuery(PageQuery):
    """Which reports."""

    state: Literal["open", "resolved"] = "open"


class ResolveBody(Request):
    """What an operator did about a report."""

    note: str = Field(min_length=1, max_length=MAX_COMMENT_CHARS)


class FiledReportView(Answer):
    """A report as operators see it."""

    id: str
    space_id: str
    reporter_id: str
    user_id: str | None
    reason: ReportReason
    comment: str
    created_at: Instant
    note: str | None
    resolved_at: Instant | None

    @classmethod
    def of(cls, report: Report) -> "FiledReportView":
        """Return `report`."""
        return cls(
            id=report.id,
            space_id=report.space_id,
            reporter_id=report.reporter_id,
            user_id=report.user_id,
            reason=report.reason,
            comment=report.comment,
            created_at=report.created_at,
            note=report.resolution.note if report.resolution else None,
            resolved_at=report.resolution.at if report.resolution else None,
        )


class FiledReportsView(Answer):
    """A page of reports, the oldest first."""

    reports: list[FiledReportView]
    next_page_token: str | None

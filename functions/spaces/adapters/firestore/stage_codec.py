"""Documents of invites and reports, and what they mean."""

from collections.abc import Mapping
from typing import Any

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import Role

from ...domain.invite import Invite
from ...domain.report import Report, ReportReason, Resolution
from ...domain.states import InviteState
from .codec import Document, instant, required_instant


def invite_to_doc(invite: Invite) -> Document:
    """Return the fields of `spaces/{id}/invites/{uid}`."""
    return {
        "space_id": invite.space_id,
        "uid": invite.user_id,
        "handle": invite.handle,
        "display_name": invite.display_name,
        "role": invite.role.value,
        "state": invite.state.value,
        "inviter": {
            "uid": invite.inviter_id,
            "handle": invite.inviter_handle,
            "display_name": invite.inviter_display_name,
        },
        "created_at": invite.created_at,
        "updated_at": invite.updated_at,
        "expires_at": invite.expires_at,
    }


def invite_from_doc(doc: Mapping[str, Any]) -> Invite:
    """Return the invite that `spaces/{id}/invites/{uid}` holds."""
    return Invite(
        space_id=SpaceId(doc["space_id"]),
        user_id=UserId(doc["uid"]),
        handle=doc["handle"],
        display_name=doc["display_name"],
        role=Role(doc["role"]),
        state=InviteState(doc["state"]),
        inviter_id=UserId(doc["inviter"]["uid"]),
        inviter_handle=doc["inviter"]["handle"],
        inviter_display_name=doc["inviter"]["display_name"],
        created_at=required_instant(doc["created_at"]),
        updated_at=required_instant(doc["updated_at"]),
        expires_at=required_instant(doc["expires_at"]),
    )


def report_to_doc(report: Report) -> Document:
    """Return the fields of `reports/{id}`."""
    return {
        "is_open": report.resolution is None,
        "note": report.resolution.note if report.resolution else None,
        "resolved_at": report.resolution.at if report.resolution else None,
        "space_id": report.space_id,
        "reporter_id": report.reporter_id,
        "user_id": report.user_id,
        "reason": report.reason.value,
        "comment": report.comment,
        "created_at": report.created_at,
    }


def report_from_doc(report_id: str, doc: Mapping[str, Any]) -> Report:
    """Return the report that `reports/{id}` holds."""
    resolved_at = instant(doc["resolved_at"])
    return Report(
        id=report_id,
        space_id=SpaceId(doc["space_id"]),
        reporter_id=UserId(doc["reporter_id"]),
        user_id=UserId(doc["user_id"]) if doc["user_id"] else None,
        reason=ReportReason(doc["reason"]),
        comment=doc["comment"],
        created_at=required_instant(doc["created_at"]),
        resolution=None
        if resolved_at is None
        else Resolution(doc["note"], resolved_at),
    )

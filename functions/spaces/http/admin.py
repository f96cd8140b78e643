"""`/v1/admin`: what operators and the host app's own server do, server to server."""

import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TypeVar

import flask
from pydantic import BaseModel

from spaces_contract.ids import USER_ID_PATTERN, UserId

from ..domain.errors import (
    ListFull,
    ReportClosed,
    ReportNotFound,
    SpaceError,
    SpaceNotFound,
    Unavailable,
    UserNotFound,
)
from ..domain.profile import ProfileEdit
from ..service.errors import OperatorKeyInvalid
from ..service.operators import OperatorService
from ..service.people import RelationService
from ..service.ports import Cursor
from ..service.profiles import ProfileService
from . import page_tokens
from .admin_schemas import (
    EdgeEntry,
    EdgesBody,
    EntryResult,
    FiledReportsView,
    FiledReportView,
    ReportsQuery,
    ResolveBody,
    ResultsView,
    UserEntry,
    UsersBody,
)
from .errors import InvalidPageToken
from .operations import Access, Call, Operation, bearer_token
from .replies import empty_reply, json_reply, page
from .schemas import SpaceView

Handler = Callable[[Call], flask.Response]


class AdminResource:
    """Handlers of operators; each entry of a list succeeds or fails by itself."""

    def __init__(
        self,
        operators: OperatorService,
        profiles: ProfileService,
        relations: RelationService,
        public_url: str,
    ) -> None:
        self._operators = operators
        self._profiles = profiles
        self._relations = relations
        self._public_url = public_url

    def put_users(self, call: Call) -> flask.Response:
        """Make or change accounts."""
        body = call.read(UsersBody)
        results = [_result(each.uid, self._save, each) for each in body.users]
        return json_reply(ResultsView(results=results))

    def put_follows(self, call: Call) -> flask.Response:
        """Let people follow each other, or no more."""
        body = call.read(EdgesBody)
        results = [_result(each.uid, self._follow, each) for each in body.edges]
        return json_reply(ResultsView(results=results))

    def put_blocks(self, call: Call) -> flask.Response:
        """Let people block each other, or no more."""
        body = call.read(EdgesBody)
        results = [_result(each.uid, self._block, each) for each in body.edges]
        return json_reply(ResultsView(results=results))

    def reports(self, call: Call) -> flask.Response:
        """Show a page of reports."""
        query = call.query(ReportsQuery)
        of = f"{page_tokens.REPORTS}-{query.state}"
        found = self._operators.reports(
            is_open=query.state == "open",
            limit=query.page_size + 1,
            after=page_tokens.decode(query.page_token, of=of),
        )
        entries, token = page(
            found, query.page_size, lambda r: Cursor(r.created_at, r.id), of=of
        )
        views = [FiledReportView.of(each) for each in entries]
        return json_reply(FiledReportsView(reports=views, next_page_token=token))

    def resolve(self, call: Call) -> flask.Response:
        """Close a report."""
        body = call.read(ResolveBody)
        report_id = call.params["report_id"]
        if not page_tokens.REPORT_ID_PATTERN.fullmatch(report_id):
            raise ReportNotFound
        resolved = self._operators.resolve(report_id, body.note)
        return json_reply(FiledReportView.of(resolved))

    def close_space(self, call: Call) -> flask.Response:
        """End a Space, or call it off."""
        space = self._operators.close_space(call.space_id)
        return json_reply(
            SpaceView.of(space, self._public_url), revision=space.revision
        )

    def suspend(self, call: Call) -> flask.Response:
        """Shut somebody out."""
        self._operators.suspend(_person(call))
        return empty_reply()

    def unsuspend(self, call: Call) -> flask.Response:
        """Shut them out no more."""
        self._operators.unsuspend(_person(call))
        return empty_reply()

    def _save(self, entry: UserEntry) -> None:
        edit = ProfileEdit(
            handle=entry.handle,
            display_name=entry.display_name,
            protected=entry.protected,
        )
        self._profiles.save(edit, user_id=UserId(entry.uid), revision=None)

    def _follow(self, entry: EdgeEntry) -> None:
        change = self._relations.unfollow if entry.ended else self._relations.follow
        change(UserId(entry.other), actor_id=UserId(entry.uid))

    def _block(self, entry: EdgeEntry) -> None:
        change = self._relations.unblock if entry.ended else self._relations.block
        change(UserId(entry.other), actor_id=UserId(entry.uid))


def only_operators(keys: Collection[str], handle: Handler) -> Handler:
    """Return `handle` behind a check of the key; without keys nobody passes."""
    digests = [hashlib.sha256(key.encode()).digest() for key in keys]

    def checked(call: Call) -> flask.Response:
        sent = bearer_token(call.request.headers.get("Authorization", "")) or ""
        digest = hashlib.sha256(sent.encode()).digest()
        # All of them, and of digests: how long it takes tells nothing of any key.
        if not sum(hmac.compare_digest(digest, each) for each in digests):
            raise OperatorKeyInvalid
        return handle(call)

    return checked


def operations(resource: AdminResource, keys: Collection[str]) -> tuple[Operation, ...]:
    """Return the operations of whoever has one of `keys`."""
    calls = (*_of_the_host_app(resource), *_of_reports(resource), *_closing(resource))
    return tuple(
        replace(each, handle=only_operators(keys, each.handle)) for each in calls
    )


def _of_the_host_app(resource: AdminResource) -> tuple[Operation, ...]:
    def upsert(what: str, handle: Handler, body: type[BaseModel]) -> Operation:
        return Operation(
            id=f"admin_put_{what}",
            method="POST",
            path=f"/v1/admin/{what}",
            summary=f"Bring {what} from the host app; each fails or succeeds by itself",
            access=Access.OPERATOR,
            handle=handle,
            body=body,
            answer=ResultsView,
        )

    return (
        upsert("users", resource.put_users, UsersBody),
        upsert("follows", resource.put_follows, EdgesBody),
        upsert("blocks", resource.put_blocks, EdgesBody),
    )


def _of_reports(resource: AdminResource) -> tuple[Operation, ...]:
    return (
        Operation(
            id="admin_list_reports",
            method="GET",
            path="/v1/admin/reports",
            summary="Reports, the oldest first",
            access=Access.OPERATOR,
            handle=resource.reports,
            query=ReportsQuery,
            answer=FiledReportsView,
            errors=(InvalidPageToken,),
        ),
        Operation(
            id="admin_resolve_report",
            method="POST",
            path="/v1/admin/reports/{report_id}/resolve",
            summary="Close a report with a note; the same note again is harmless",
            access=Access.OPERATOR,
            handle=resource.resolve,
            body=ResolveBody,
            answer=FiledReportView,
            errors=(ReportNotFound, ReportClosed),
        ),
    )


def _closing(resource: AdminResource) -> tuple[Operation, ...]:
    def suspension(name: str, method: str, summary: str, handle: Handler) -> Operation:
        return Operation(
            id=name,
            method=method,
            path="/v1/admin/users/{user_id}/suspension",
            summary=summary,
            access=Access.OPERATOR,
            handle=handle,
            status=204,
            errors=(UserNotFound, ListFull),
        )

    shut_out = "Shut somebody out, and end or leave their Spaces; again is harmless"
    let_in = "Let them act again; again is harmless"
    return (
        Operation(
            id="admin_close_space",
            method="POST",
            path="/v1/admin/spaces/{space_id}/end",
            summary="End a live Space, call off a scheduled one; again is harmless",
            access=Access.OPERATOR,
            handle=resource.close_space,
            answer=SpaceView,
            errors=(SpaceNotFound,),
        ),
        suspension("admin_suspend", "PUT", shut_out, resource.suspend),
        suspension("admin_unsuspend", "DELETE", let_in, resource.unsuspend),
    )


E = TypeVar("E")


def _result(uid: str, save: Callable[[E], None], entry: E) -> EntryResult:
    try:
        save(entry)
    except Unavailable:
        raise  # the whole call is to be sent again, which is harmless
    except SpaceError as error:
        return EntryResult(uid=uid, status="failed", code=error.code)
    return EntryResult(uid=uid, status="saved", code=None)


def _person(call: Call) -> UserId:
    if not USER_ID_PATTERN.fullmatch(call.params["user_id"]):
        raise UserNotFound
    return UserId(call.params["user_id"])

"""Lists of people: `GET /v1/me/following`, `/followers`, `/blocks`, and by handle."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final

import flask
from pydantic import Field

from ..service.discovery_ports import Related
from ..service.people_search import COUNTED, PeopleSearchService
from ..service.ports import Cursor
from . import page_tokens
from .errors import InvalidPageToken
from .operations import Access, Call, Operation
from .replies import json_reply, page
from .schemas import Answer, Instant, PageQuery, Request
from .stage_schemas import PersonView

HANDLE_BEGINNING: Final = r"^@?[A-Za-z0-9_]{1,15}$"


class RelatedView(PersonView):
    """Somebody, and since when."""

    since: Instant


class PeopleView(Answer):
    """A page of people, the latest first."""

    people: list[RelatedView]
    next_page_token: str | None


class FollowersView(PeopleView):
    """A page of followers; of more than 10,000 only that many are counted."""

    count: Annotated[int, Field(ge=0, le=COUNTED)]


class HandleQuery(Request):
    """How a handle begins, with or without @; case does not matter."""

    query: Annotated[str, Field(pattern=HANDLE_BEGINNING)]
    page_size: int = Field(default=10, ge=1, le=20)


class FoundView(Answer):
    """People by handle; only the first ones: type more to find others."""

    people: list[PersonView]


class PeopleSearchResource:
    """Handlers of lists of people."""

    def __init__(self, people: PeopleSearchService) -> None:
        self._people = people

    def following(self, call: Call) -> flask.Response:
        """Show whom the caller follows."""
        fields = self._page(call, self._people.followed, page_tokens.FOLLOWING)
        return json_reply(PeopleView(**fields))

    def blocks(self, call: Call) -> flask.Response:
        """Show whom the caller has blocked."""
        fields = self._page(call, self._people.blocked, page_tokens.BLOCKS)
        return json_reply(PeopleView(**fields))

    def followers(self, call: Call) -> flask.Response:
        """Show who follows the caller."""
        fields = self._page(call, self._people.followers, page_tokens.FOLLOWERS)
        count = self._people.count_followers(call.actor_id)
        return json_reply(FollowersView(**fields, count=count))

    def search(self, call: Call) -> flask.Response:
        """Show people by handle."""
        query = call.query(HandleQuery)
        found = self._people.search(
            query.query.removeprefix("@"),
            actor_id=call.actor_id,
            limit=query.page_size,
        )
        views = [
            PersonView(
                uid=each.user_id, handle=each.handle, display_name=each.display_name
            )
            for each in found
        ]
        return json_reply(FoundView(people=views))

    def _page(
        self, call: Call, find: Callable[..., Sequence[Related]], name: str
    ) -> dict[str, Any]:
        query = call.query(PageQuery)
        after = page_tokens.decode(query.page_token, of=name)
        found = find(call.actor_id, limit=query.page_size + 1, after=after)
        shown, token = page(found, query.page_size, _cursor, of=name)
        # Whoever has no account any more is left out; the page goes on behind them.
        people = [
            RelatedView(
                uid=each.user_id,
                handle=each.profile.handle,
                display_name=each.profile.display_name,
                since=each.since,
            )
            for each in shown
            if each.profile is not None
        ]
        return {"people": people, "next_page_token": token}


def operations(people: PeopleSearchService) -> tuple[Operation, ...]:
    """Return the operations that list people."""
    resource = PeopleSearchResource(people)
    return (
        _list("list_following", "following", "Whom the caller follows", resource),
        _list("list_blocks", "blocks", "Whom the caller has blocked", resource),
        Operation(
            id="list_followers",
            method="GET",
            path="/v1/me/followers",
            summary="Who follows the caller, and how many they are",
            access=Access.ID_TOKEN,
            handle=resource.followers,
            query=PageQuery,
            answer=FollowersView,
            errors=(InvalidPageToken,),
        ),
        Operation(
            id="search_users",
            method="GET",
            path="/v1/users/search",
            summary="People by the beginning of their handle, to be invited",
            access=Access.ID_TOKEN,
            handle=resource.search,
            query=HandleQuery,
            answer=FoundView,
        ),
    )


def _list(
    name: str, kind: str, summary: str, resource: PeopleSearchResource
) -> Operation:
    return Operation(
        id=name,
        method="GET",
        path=f"/v1/me/{kind}",
        summary=f"{summary}, the latest first",
        access=Access.ID_TOKEN,
        handle=resource.following if kind == "following" else resource.blocks,
        query=PageQuery,
        answer=PeopleView,
        errors=(InvalidPageToken,),
    )


def _cursor(related: Related) -> Cursor:
    return Cursor(related.since, related.user_id)

"""Finding Spaces: `GET /v1/spaces`, `/v1/spaces/search` and `/v1/me/spaces`."""

from typing import Annotated, Final, Literal

import flask
from pydantic import Field

from ..domain import search
from ..domain.feed import Page, Section
from ..domain.search import MAX_QUERY_CHARS
from ..service.discovery import DiscoveryService
from ..service.errors import IdTokenMissing
from . import page_tokens
from .errors import InvalidPageToken
from .operations import Access, Call, Operation
from .replies import json_reply
from .schemas import GIVEN, PageQuery, SpacesView, SpaceView

LIVE: Final = (Section.STARTED,)
SCHEDULED: Final = (Section.SCHEDULED,)
FOLLOWING_LIVE: Final = (Section.HOSTS, Section.STAGE, Section.LIVE)
# By `state`, None where none is named.
LISTS: Final = {None: LIVE, "live": LIVE, "scheduled": SCHEDULED}
FEEDS: Final = {
    None: (*FOLLOWING_LIVE, *SCHEDULED),
    "live": FOLLOWING_LIVE,
    "scheduled": SCHEDULED,
}
SEARCHED: Final = {"all": (*LIVE, *SCHEDULED), "live": LIVE, "scheduled": SCHEDULED}


class SpacesQuery(PageQuery):
    """
    Which Spaces.

    Without `feed`: live ones, those started last first, or scheduled ones, the next
    one first.  With it, for who is signed in: live ones of people whom they follow,
    as hosts, then as speakers, then by audience, then scheduled ones.
    """

    state: Annotated[Literal["live", "scheduled"] | None, *GIVEN] = None
    feed: Annotated[Literal["following"] | None, *GIVEN] = None


class SearchQuery(PageQuery):
    """Words of titles and topics; the last one may be the beginning of a word."""

    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)]
    state: Literal["live", "scheduled", "all"] = "all"


class DiscoveryResource:
    """Handlers of one deployment, whose public URL is in what they answer."""

    def __init__(self, discovery: DiscoveryService, public_url: str) -> None:
        self._discovery = discovery
        self._public_url = public_url

    def spaces(self, call: Call) -> flask.Response:
        """Show a page of a list, or of the caller's feed."""
        query = call.query(SpacesQuery)
        if query.feed is None:
            (section,) = LISTS[query.state]
            after = page_tokens.decode_place(query.page_token, (section,))
            return self._reply(
                self._discovery.listed(section, limit=query.page_size, after=after)
            )
        if call.actor is None:
            raise IdTokenMissing
        sections = FEEDS[query.state]
        after = page_tokens.decode_place(query.page_token, sections)
        return self._reply(
            self._discovery.feed(
                call.actor, sections=sections, limit=query.page_size, after=after
            )
        )

    def search(self, call: Call) -> flask.Response:
        """Show a page of what has these words."""
        query = call.query(SearchQuery)
        sections = SEARCHED[query.state]
        after = page_tokens.decode_place(query.page_token, sections)
        wanted = search.parse(query.query)
        if wanted is None:  # signs alone: no Space has such a word
            return self._reply(Page((), None))
        found = self._discovery.search(
            wanted,
            sections=sections,
            user_id=call.actor,
            limit=query.page_size,
            after=after,
        )
        return self._reply(found)

    def mine(self, call: Call) -> flask.Response:
        """Show a page of the caller's scheduled Spaces."""
        query = call.query(PageQuery)
        after = page_tokens.decode_place(query.page_token, SCHEDULED)
        return self._reply(
            self._discovery.listed(
                Section.SCHEDULED,
                host_id=call.actor_id,
                limit=query.page_size,
                after=after,
            )
        )

    def _reply(self, page: Page) -> flask.Response:
        views = [SpaceView.of(space, self._public_url) for space in page.spaces]
        token = page_tokens.encode_place(page.after)
        return json_reply(SpacesView(spaces=views, next_page_token=token))


def operations(discovery: DiscoveryService, public_url: str) -> tuple[Operation, ...]:
    """Return the operations that find Spaces."""
    resource = DiscoveryResource(discovery, public_url)
    return (
        Operation(
            id="list_spaces",
            method="GET",
            path="/v1/spaces",
            summary="Live or scheduled Spaces; or those that concern the caller first",
            access=Access.OPTIONAL,
            handle=resource.spaces,
            query=SpacesQuery,
            answer=SpacesView,
            errors=(InvalidPageToken, IdTokenMissing),
        ),
        Operation(
            id="search_spaces",
            method="GET",
            path="/v1/spaces/search",
            summary="Live and scheduled Spaces by words of title and topics",
            access=Access.OPTIONAL,
            handle=resource.search,
            query=SearchQuery,
            answer=SpacesView,
            errors=(InvalidPageToken,),
        ),
        Operation(
            id="list_my_spaces",
            method="GET",
            path="/v1/me/spaces",
            summary="The caller's scheduled Spaces, the next one first",
            access=Access.ID_TOKEN,
            handle=resource.mine,
            query=PageQuery,
            answer=SpacesView,
            errors=(InvalidPageToken,),
        ),
    )

"""`/2/spaces`: the read API of X for Spaces, so that its clients work unchanged."""

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

import flask
from pydantic import BaseModel

from spaces_contract.ids import SPACE_ID_PATTERN, SpaceId

from ..domain import search
from ..domain.space import Space
from ..service.discovery import DiscoveryService
from . import x_views
from .discovery import SEARCHED
from .errors import InvalidField, UnknownField
from .operations import Access, Call, Operation
from .x_schemas import (
    ID,
    XCreatorsQuery,
    XError,
    XIdsQuery,
    XInvalid,
    XMeta,
    XParameterError,
    XQuery,
    XSearchQuery,
    XSpaceAnswer,
    XSpacesAnswer,
)
from .x_views import Wanted

Q = TypeVar("Q", bound=XQuery)


class XResource:
    """Handlers of X's calls; anybody may read, with whatever token they have."""

    def __init__(self, discovery: DiscoveryService) -> None:
        self._discovery = discovery

    def one(self, call: Call, query: XQuery) -> BaseModel:
        """Show one Space."""
        space_id = call.params["id"]
        if not re.fullmatch(ID, space_id):
            detail = f"does not match ^{ID}$"
            raise InvalidField([{"pointer": "/id", "detail": detail}])
        spaces, errors = self._named([space_id], "id")
        shown = self._shown(spaces, errors, query)
        return XSpaceAnswer(
            data=shown.data[0] if shown.data else None,
            includes=shown.includes,
            errors=shown.errors,
        )

    def several(self, call: Call, query: XIdsQuery) -> BaseModel:
        """Show Spaces by id."""
        spaces, errors = self._named(query.ids.split(","), "ids")
        return self._shown(spaces, errors, query)

    def by_creators(self, call: Call, query: XCreatorsQuery) -> BaseModel:
        """Show live and scheduled Spaces of some hosts."""
        numbers = {int(number) for number in query.user_ids.split(",")}
        return self._counted(self._discovery.hosted_by(numbers), query)

    def search(self, call: Call, query: XSearchQuery) -> BaseModel:
        """Show Spaces by words."""
        wanted = search.parse(query.query)
        if wanted is None:
            return self._counted((), query)
        found = self._discovery.search(
            wanted,
            sections=SEARCHED[query.state],
            user_id=None,
            limit=query.max_results,
            after=None,
        )
        return self._counted(found.spaces, query)

    def _named(
        self, ids: Sequence[str], parameter: str
    ) -> tuple[Sequence[Space], list[XError]]:
        wanted = [SpaceId(each) for each in dict.fromkeys(ids)]
        ours = [each for each in wanted if SPACE_ID_PATTERN.fullmatch(each)]
        found = self._discovery.get_many(ours)
        missing = [each for each in wanted if each not in found]
        errors = [x_views.not_found("space", parameter, each) for each in missing]
        return list(found.values()), errors

    def _counted(self, spaces: Sequence[Space], query: XQuery) -> XSpacesAnswer:
        shown = self._shown(spaces, [], query)
        return shown.model_copy(update={"meta": XMeta(result_count=len(spaces))})

    def _shown(
        self, spaces: Sequence[Space], errors: list[XError], query: XQuery
    ) -> XSpacesAnswer:
        wanted = Wanted.by(query)
        profiles = self._discovery.profiles(wanted.people(spaces))
        errors = [*errors, *x_views.missing_people(spaces, wanted, profiles)]
        return XSpacesAnswer(
            data=[x_views.space_view(space, wanted) for space in spaces] or None,
            includes=x_views.includes(spaces, wanted, profiles),
            errors=errors or None,
        )


def operations(discovery: DiscoveryService) -> tuple[Operation, ...]:
    """Return X's operations on Spaces."""
    x = XResource(discovery)
    one, many = XSpaceAnswer, XSpacesAnswer
    return (
        _get("x_get_space", "/{id}", "One Space", x.one, XQuery, one),
        _get("x_get_spaces", "", "Spaces by id", x.several, XIdsQuery, many),
        _get(
            "x_get_spaces_by_creators",
            "/by/creator_ids",
            "Live and scheduled Spaces of these hosts",
            x.by_creators,
            XCreatorsQuery,
            many,
        ),
        _get(
            "x_search_spaces",
            "/search",
            "Live and scheduled Spaces by words of title and topics",
            x.search,
            XSearchQuery,
            many,
        ),
    )


def _get(
    name: str,
    path: str,
    summary: str,
    show: Callable[[Call, Q], BaseModel],
    query: type[Q],
    answer: type[BaseModel],
) -> Operation:
    def handle(call: Call) -> flask.Response:
        try:
            shown = show(call, call.query(query))
        except (InvalidField, UnknownField) as error:
            return _invalid(error.members["errors"], call.request.args)
        return _json(shown)

    return Operation(
        id=name,
        method="GET",
        path=f"/2/spaces{path}",
        summary=f"{summary}, in the form of the X API v2",
        access=Access.PUBLIC,
        handle=handle,
        query=query,
        answer=answer,
        invalid_answer=XInvalid,
    )


def _invalid(
    errors: Sequence[Mapping[str, str]], given: Mapping[str, str]
) -> flask.Response:
    def explained(error: Mapping[str, str]) -> XParameterError:
        name = error["pointer"].removeprefix("/")
        value = given.get(name, "")
        return XParameterError(
            parameters={name: [value]},
            message=f"The `{name}` query parameter value [{value}] is not valid: "
            f"{error['detail']}",
        )

    problem = XInvalid(
        errors=[explained(error) for error in errors],
        title="Invalid Request",
        detail="One or more parameters to your request was invalid.",
        type=f"{x_views.PROBLEMS}/invalid-request",
    )
    return _json(problem, HTTPStatus.BAD_REQUEST)


def _json(answer: BaseModel, status: int = HTTPStatus.OK) -> flask.Response:
    body: Any = answer.model_dump_json(exclude_none=True)
    return flask.Response(body, status=status, mimetype="application/json")

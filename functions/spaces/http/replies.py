"""Responses of the API other than problems."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import flask
from pydantic import BaseModel

from ..service.ports import Cursor
from . import page_tokens

T = TypeVar("T")


def json_reply(
    answer: BaseModel,
    status: int = 200,
    *,
    revision: str = "",
    location: str | None = None,
) -> flask.Response:
    """Return `answer` as JSON, with its ETag where a stored version has a name."""
    response = flask.Response(
        answer.model_dump_json(by_alias=True),
        status=status,
        mimetype="application/json",
    )
    if revision:
        response.set_etag(revision)
    if location is not None:
        response.location = location
    return response


def empty_reply() -> flask.Response:
    """Return 204."""
    return flask.Response(status=204)


def page(
    found: Sequence[T], page_size: int, cursor_of: Callable[[T], Cursor], *, of: str
) -> tuple[Sequence[T], str | None]:
    """
    Cut a page from `found`, which has one entry more where the list goes on.

    Returns:
        The page's entries and the token of the next page, None at the end.
    """
    if len(found) <= page_size:
        return found, None
    entries = found[:page_size]
    return entries, page_tokens.encode(cursor_of(entries[-1]), of=of)

"""`DELETE /v1/me` and `GET /v1/me/export`: a person's right to their data."""

import json
from collections.abc import Iterator
from typing import Final

import flask

from ..service.erasure import ErasureService
from .operations import Access, Call, Operation

NDJSON: Final = "application/x-ndjson"


class AccountResource:
    """Handlers of the caller's whole account."""

    def __init__(self, erasure: ErasureService) -> None:
        self._erasure = erasure

    def erase(self, call: Call) -> flask.Response:
        """Begin to erase everything."""
        self._erasure.request(call.actor_id)
        return flask.Response(status=202)

    def export(self, call: Call) -> flask.Response:
        """Stream everything, a line for each thing; the last line says how many."""
        kept = self._erasure.export(call.actor_id)
        first = next(kept, None)  # now, so that an error is still a problem

        def lines() -> Iterator[str]:
            count = 0
            if first is not None:
                count = 1
                yield _line(*first)
            for kind, fields in kept:
                count += 1
                yield _line(kind, fields)
            yield _line("end", {"count": count})

        response = flask.Response(lines(), mimetype=NDJSON)
        response.headers["Content-Disposition"] = 'attachment; filename="parley.ndjson"'
        response.headers["Cache-Control"] = "no-store"
        return response


def _line(kind: str, fields: object) -> str:
    return json.dumps({"kind": kind, "data": fields}, ensure_ascii=False) + "\n"


def operations(erasure: ErasureService) -> tuple[Operation, ...]:
    """Return the operations on the caller's whole account."""
    resource = AccountResource(erasure)
    return (
        Operation(
            id="delete_me",
            method="DELETE",
            path="/v1/me",
            summary="Erase the caller: at once for others, all of it within minutes",
            access=Access.ID_TOKEN,
            handle=resource.erase,
            status=202,
        ),
        Operation(
            id="export_me",
            method="GET",
            path="/v1/me/export",
            summary="All that is kept of the caller, as NDJSON; its last line is end",
            access=Access.ID_TOKEN,
            handle=resource.export,
            page=NDJSON,
        ),
    )

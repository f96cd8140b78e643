"""`/local/documents`: the embedded Firestore's tree, one level at a time."""

import base64
import datetime as dt
from http import HTTPStatus
from typing import Any, Final

from aiohttp import web

from .cloud_clients import CALL_S, CloudClients
from .cloud_view import shown
from .problems import problem

_MAX_PATH_CHARS: Final = 1500
_PAGE: Final = 100


class DocumentsView:
    """
    GET ?path= of a collection or a document; without a path, of the database.

    Collections answer {"documents": [{"id"}], "more": bool}, everything else
    {"collections": [id], "fields", "create_time", "update_time"}.
    """

    def __init__(self, clients: CloudClients) -> None:
        self._clients = clients

    async def read(self, request: web.Request) -> web.Response:
        """Answer one level."""
        from google.api_core.exceptions import InvalidArgument

        path = request.query.get("path", "").strip("/")
        parts = path.split("/") if path else []
        if len(path) > _MAX_PATH_CHARS or not all(parts):
            return problem(HTTPStatus.BAD_REQUEST, "invalid-path", "path is malformed")
        async with self._clients.asking("Firestore") as clients:
            try:
                if len(parts) % 2:
                    return shown(await _collection(clients.firestore, path))
                return shown(await _document(clients.firestore, path))
            except InvalidArgument as error:
                return problem(HTTPStatus.BAD_REQUEST, "invalid-path", error.message)


async def _collection(firestore: Any, path: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = []
    # Documents that are only the parent of others are listed as well.
    async for reference in firestore.collection(path).list_documents(
        page_size=_PAGE, timeout=CALL_S
    ):
        if len(found) == _PAGE:
            return {"documents": found, "more": True}
        found.append({"id": reference.id})
    return {"documents": found, "more": False}


async def _document(firestore: Any, path: str) -> dict[str, Any]:
    if not path:
        collections = [c.id async for c in firestore.collections(timeout=CALL_S)]
        return {"collections": collections}
    reference = firestore.document(path)
    snapshot = await reference.get(timeout=CALL_S)
    return {
        "collections": [c.id async for c in reference.collections(timeout=CALL_S)],
        "fields": _plain(snapshot.to_dict()) if snapshot.exists else None,
        "create_time": _plain(snapshot.create_time),
        "update_time": _plain(snapshot.update_time),
    }


def _plain(value: Any) -> Any:
    """Return a field's value as JSON that a person can read."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case dt.datetime():
            return value.isoformat()
        case bytes():
            return f"base64:{base64.b64encode(value).decode()}"
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:  # references and points
            return str(getattr(value, "path", value))

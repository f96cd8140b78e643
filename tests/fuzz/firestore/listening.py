"""Listeners that are held open on one server while the fuzz writes to it."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from google.api_core.exceptions import GoogleAPICallError, from_grpc_status
from google.cloud.firestore_v1._helpers import decode_dict

from tests.conformance.firestore.servers import Client
from tests.fuzz.firestore.comparing import comparable

WAIT_S: Final = 10.0
MARKER: Final = "fuzz/settled"
_TARGET: Final = 1
_MARKER_TARGET: Final = 2
View = dict[str, Any]  # document path -> comparable data


class Broken(Exception):
    """A stream ended, or said nothing in time; the text says which."""


@dataclass(slots=True)
class _State:
    """What a client keeps of a target; views are whole only at a snapshot."""

    view: View = field(default_factory=dict)
    marker: int = -1
    current: bool = False
    token: bytes = b""


class Listener:
    """
    One Listen stream: a target, and a marker that tells when all before it came.

    Args:
        target: A `Target` without id and token, in the form of keyword arguments.
    """

    def __init__(self, client: Client, target: dict[str, Any]) -> None:
        self._client = client
        self._target = target
        self._at_snapshot = _State()
        self._cause: str | None = None
        self._changed = threading.Condition()
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._answers: Any = None
        self._reader: threading.Thread | None = None

    def open(self) -> View:
        """
        Listen, from where the last stream of this listener ended.

        Raises:
            Broken: the target was refused, or the stream ended.
        """
        kept = self._at_snapshot
        kept.current, kept.marker = False, -1
        self._cause, self._requests = None, queue.SimpleQueue()
        own = {**self._target, "target_id": _TARGET, "resume_token": kept.token}
        name = self._client.document(MARKER)._document_path
        marker = {"documents": {"documents": [name]}, "target_id": _MARKER_TARGET}
        for add in (own, marker):
            request = {"database": self._client._database_string, "add_target": add}
            self._requests.put(request)
        self._answers = self._client._firestore_api.listen(
            requests=iter(self._requests.get, None),
            metadata=self._client._rpc_metadata,
        )
        self._reader = threading.Thread(target=self._read, args=(_copy(kept),))
        self._reader.start()
        return self._wait(lambda state: state.current)

    def settled(self, marker: int) -> View:
        """
        Return the view once it has all that was written before this marker.

        Raises:
            Broken: the stream ended.
        """
        return self._wait(lambda state: state.marker >= marker)

    def close(self) -> None:
        """End the stream; `open` resumes it."""
        if self._reader is not None:
            self._requests.put(None)
            self._answers.cancel()
            self._reader.join(WAIT_S)
            self._reader = None

    def _wait(self, reached: Callable[[_State], bool]) -> View:
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._cause is not None or reached(self._at_snapshot), WAIT_S
            )
            if self._cause is not None:
                raise Broken(self._cause)
            if not done:
                raise Broken("silence")
            return dict(self._at_snapshot.view)

    def _read(self, state: _State) -> None:
        try:
            for answer in self._answers:
                self._take(answer, state)
        except GoogleAPICallError as error:
            self._fail(f"error {type(error).__name__}")
        else:
            self._fail("end of stream")

    def _fail(self, cause: str) -> None:
        with self._changed:
            self._cause = self._cause or cause
            self._changed.notify_all()

    def _take(self, answer: Any, state: _State) -> None:
        kind = answer._pb.WhichOneof("response_type")
        if kind == "target_change":
            self._target_change(answer.target_change, state)
        elif kind == "document_change":
            change = answer.document_change
            self._document(change.document, change, state)
        elif kind in ("document_delete", "document_remove"):
            gone = getattr(answer, kind)
            if _TARGET in gone.removed_target_ids:
                state.view.pop(_path(gone.document), None)
        elif kind == "filter" and answer.filter.target_id == _TARGET:
            self._check(answer.filter.count, state)

    def _check(self, count: int, state: _State) -> None:
        if count != len(state.view):
            self._fail(f"filter {count} != {len(state.view)}")

    def _document(self, document: Any, change: Any, state: _State) -> None:
        data: Any = decode_dict(document.fields, self._client)
        if _MARKER_TARGET in change.target_ids:
            state.marker = data["n"]
        path = _path(document.name)
        if _TARGET in change.target_ids:
            state.view[path] = comparable(data)
        if _TARGET in change.removed_target_ids:
            state.view.pop(path, None)

    def _target_change(self, change: Any, state: _State) -> None:
        mine = not change.target_ids or _TARGET in change.target_ids
        match change.target_change_type.name:
            case "REMOVE" if mine:
                error: Any = from_grpc_status(change.cause.code, "")  # type: ignore[no-untyped-call]
                self._fail(f"error {type(error).__name__}")
            case "RESET" if mine:
                state.view.clear()
                state.current = False  # what follows is not whole until CURRENT
            case "CURRENT" if mine:
                state.current = True
            case "NO_CHANGE" if state.current and not change.target_ids:
                state.token = change.resume_token
                with self._changed:
                    self._at_snapshot = _copy(state)
                    self._changed.notify_all()


def _copy(state: _State) -> _State:
    return _State(dict(state.view), state.marker, state.current, state.token)


def _path(name: str) -> str:
    return name.split("/documents/", 1)[1]

"""
Which operation a request is for, found without loading the others.

Not Werkzeug's rules: to compile all of them was a tenth of a cold start.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import flask
from werkzeug.exceptions import MethodNotAllowed, NotFound

from .operations import Guard, Operation, Verify, perform


@dataclass(slots=True)
class _Node:
    """A place in the tree of paths, one segment below another."""

    fixed: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    by_method: dict[str, Operation] = field(default_factory=dict)

    def below(self, segment: str) -> "_Node":
        """Return the place below for a segment of an operation's path."""
        if not segment.startswith("{"):
            return self.fixed.setdefault(segment, _Node())
        self.parameter = self.parameter or _Node()
        return self.parameter

    def find(self, segments: Sequence[str]) -> "_Node | None":
        """Return where a request's path leads; what is fixed comes first."""
        if not segments:
            return self if self.by_method else None
        first, rest = segments[0], segments[1:]
        fixed = self.fixed.get(first)
        found = fixed.find(rest) if fixed else None
        if found is None and first and self.parameter is not None:
            return self.parameter.find(rest)
        return found


class Section:
    """
    A part of the API that is loaded when it is first asked for something.

    Args:
        covers: Pattern of how the paths of all its operations, and of no operation of
            a later section, begin.
        load: Returns its operations.
    """

    def __init__(self, covers: str, load: Callable[[], Sequence[Operation]]) -> None:
        self._covers = re.compile(covers)
        self._load = load
        self._lock = threading.Lock()
        self._loaded: tuple[Sequence[Operation], _Node] | None = None

    def covers(self, path: str) -> bool:
        """Return whether whatever there is at `path` belongs here."""
        return self._covers.match(path) is not None

    @property
    def operations(self) -> Sequence[Operation]:
        """All that it serves."""
        return self._ready()[0]

    def at(self, path: str) -> Mapping[str, Operation]:
        """Return what can be asked at `path`, by method; empty where nothing is."""
        found = self._ready()[1].find(_segments(path))
        return found.by_method if found else {}

    def _ready(self) -> tuple[Sequence[Operation], _Node]:
        with self._lock:
            if self._loaded is None:
                operations = self._load()
                self._loaded = operations, _tree(operations)
            return self._loaded


def register(
    app: flask.Flask,
    sections: Sequence[Section],
    verify_id_token: Verify,
    guards: Sequence[Guard] = (),
) -> None:
    """Serve `sections`; `guards` see each call first, and raise to refuse it."""

    @app.before_request
    def answer() -> flask.Response:
        request = flask.request
        served = _served(sections, request.path)
        methods = [*served, *(["HEAD"] if "GET" in served else []), "OPTIONS"]
        if request.method == "OPTIONS":
            return flask.Response(headers={"Allow": ", ".join(methods)})
        operation = served.get("GET" if request.method == "HEAD" else request.method)
        if operation is None:
            raise MethodNotAllowed(valid_methods=methods)
        request.view_args = _params(operation.path, request.path)
        flask.g.route = operation.path
        return perform(operation, request.view_args, verify_id_token, guards)


def _served(sections: Sequence[Section], path: str) -> Mapping[str, Operation]:
    section = next((each for each in sections if each.covers(path)), None)
    served = section.at(path) if section else None
    if not served:
        raise NotFound
    return served


def _tree(operations: Sequence[Operation]) -> _Node:
    root = _Node()
    for operation in operations:
        node = root
        for segment in _segments(operation.path):
            node = node.below(segment)
        if operation.method in node.by_method:
            raise ValueError(f"two operations are {operation.method} {operation.path}")
        node.by_method[operation.method] = operation
    return root


def _segments(path: str) -> list[str]:
    # A slash at the end means nothing, as strangers often send one.
    return path.removesuffix("/").split("/")


def _params(shape: str, path: str) -> dict[str, str]:
    pairs = zip(_segments(shape), _segments(path), strict=True)
    return {name[1:-1]: value for name, value in pairs if name.startswith("{")}

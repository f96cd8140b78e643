"""Finding operations: by path and method, in sections that load when asked."""

from collections.abc import Sequence

import flask
import pytest
from werkzeug.exceptions import HTTPException

from spaces.http.operations import Access, Call, Operation
from spaces.http.routes import Section, register

PATHS = (
    ("GET", "/v1/things"),
    ("POST", "/v1/things"),
    ("GET", "/v1/things/{thing_id}"),
    ("PATCH", "/v1/things/{thing_id}"),
    ("GET", "/v1/things/search"),
    ("GET", "/v1/things/{thing_id}/parts/{part_id}"),
    ("GET", "/v1/things/search/parts"),
)


def an_operation(method: str, path: str) -> Operation:
    """Return an operation that answers what it is and how it was asked."""

    def handle(call: Call) -> flask.Response:
        return flask.jsonify(path=call.operation.path, params=dict(call.params))

    return Operation(
        id=f"{method} {path}",
        method=method,
        path=path,
        summary="",
        access=Access.PUBLIC,
        handle=handle,
    )


@pytest.fixture(scope="module")
def app() -> flask.Flask:
    """Return an application with `PATHS`, and another section before them."""
    made = flask.Flask("routes", static_folder=None)
    things = [an_operation(*each) for each in PATHS]
    other = [an_operation("GET", "/v1/other/{id}")]
    register(
        made,
        [Section("/v1/other/", lambda: other), Section("/", lambda: things)],
        verify_id_token=lambda _: pytest.fail("nobody signs in here"),
    )

    @made.errorhandler(HTTPException)
    def on_error(error: HTTPException) -> HTTPException:
        return error

    return made


@pytest.mark.parametrize(
    ("path", "shape", "params"),
    [
        ("/v1/things", "/v1/things", {}),
        ("/v1/things/", "/v1/things", {}),
        ("/v1/things/a%20b", "/v1/things/{thing_id}", {"thing_id": "a b"}),
        ("/v1/things/search", "/v1/things/search", {}),
        (
            "/v1/things/search/parts/2",
            "/v1/things/{thing_id}/parts/{part_id}",
            {"thing_id": "search", "part_id": "2"},
        ),
        ("/v1/things/search/parts", "/v1/things/search/parts", {}),
        ("/v1/other/1", "/v1/other/{id}", {"id": "1"}),
    ],
)
def test_paths_lead_to_operations(
    app: flask.Flask, path: str, shape: str, params: dict[str, str]
) -> None:
    """
    What is fixed comes before what is a parameter; a slash at the end means nothing.
    """
    answer = app.test_client().get(path)

    assert answer.get_json() == {"path": shape, "params": params}


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v1/things//",
        "/v1//things",
        "/v1/things/a/parts",
        "/v1/things/a/parts/",
        "/v1/things/a%2Fb",
        "/v1/other",
        "/v1/other/1/2",
    ],
)
def test_other_paths_are_404(app: flask.Flask, path: str) -> None:
    """
    A parameter is one segment, and not an empty one.
    """
    assert app.test_client().get(path).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/things", "GET, POST, HEAD, OPTIONS"),
        ("PATCH", "/v1/things/search", "GET, HEAD, OPTIONS"),
        ("BREW", "/v1/things/a", "GET, PATCH, HEAD, OPTIONS"),
    ],
)
def test_other_methods_are_405(
    app: flask.Flask, method: str, path: str, allowed: str
) -> None:
    """
    And what is allowed instead is said; a fixed path is not another's parameter.
    """
    answer = app.test_client().open(path, method=method)

    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    assert app.test_client().options(path).headers["Allow"] == allowed


def test_head_is_get_without_the_body(app: flask.Flask) -> None:
    """
    HEAD answers what GET would, and nothing more.
    """
    answer = app.test_client().head("/v1/things")

    assert (answer.status_code, answer.data) == (200, b"")


def test_a_section_loads_when_it_is_asked_for_something() -> None:
    """
    Once, and only the section that covers what is asked for.
    """
    loaded: list[str] = []

    def load(name: str, path: str) -> Sequence[Operation]:
        loaded.append(name)
        return [an_operation("GET", path)]

    made = flask.Flask("lazy", static_folder=None)
    both = [
        Section("/a/", lambda: load("a", "/a/one")),
        Section("/", lambda: load("rest", "/b")),
    ]
    register(made, both, verify_id_token=lambda _: pytest.fail("nobody signs in"))

    assert loaded == []
    for _ in range(2):
        assert made.test_client().get("/b").status_code == 200
    assert loaded == ["rest"]
    assert made.test_client().get("/a/one").status_code == 200
    assert loaded == ["rest", "a"]


def test_two_operations_cannot_be_the_same() -> None:
    """
    A method on a path is served once, or the mistake shows at once.
    """
    same = [an_operation("GET", "/a/{x}"), an_operation("GET", "/a/{y}")]

    with pytest.raises(ValueError, match="two operations"):
        Section("/", lambda: same).at("/a/1")

"""The OpenAPI document says what is served, and what is served is in it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from spaces.domain.states import SpaceState
from spaces.http.openapi import problem_codes
from tests.builders import (
    AN_OFFER,
    SPACE_ID,
    a_grant,
    a_participant,
    a_runtime,
    a_space,
)
from tests.world import World, code_of

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Json:
    """Return the document as clients get it; to be read only."""
    found: Json = World().call("GET", "/v1/openapi.json").get_json()
    return found


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    """Yield method, path and description of every operation."""
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            yield method.upper(), path, described


def in_readme() -> Iterator[tuple[str, str]]:
    """Yield method and path of each call that README.md's table spells out."""
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    table = readme.partition("| Call | |")[2].partition("\n\n")[0]
    for methods, path in re.findall(
        r"`([A-Z]+(?:, [A-Z]+)*) (/(?:v1|2)/[^`?]+)", table
    ):
        for method in methods.split(", "):
            yield method, re.sub(r"{[^}]*}", "{}", path)


def references(value: object) -> Iterator[str]:
    """Yield every `$ref` in the document."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def schemas(value: object) -> Iterator[Json]:
    """Yield every schema that stands under a `schema` key."""
    if isinstance(value, dict):
        if isinstance(value.get("schema"), dict):
            yield value["schema"]
        for inner in value.values():
            yield from schemas(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from schemas(inner)


def test_the_document_is_whole(document: Json) -> None:
    """
    OpenAPI 3.1's own rules: schemas are valid, references lead somewhere, ids differ.
    """
    components = document["components"]
    ids = [described["operationId"] for _, _, described in operations(document)]

    assert document["openapi"] == "3.1.0"
    assert document["info"].keys() >= {"title", "version"}
    assert len(set(ids)) == len(ids)
    for reference in references(document):
        kind, name = reference.removeprefix("#/components/").split("/")
        assert name in components[kind]
    found = (*components["schemas"].values(), *schemas(document["paths"]))
    for schema in {json.dumps(each): each for each in found}.values():
        Draft202012Validator.check_schema(schema)
    for method, path, described in operations(document):
        named = {p["name"] for p in described["parameters"] if p["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), (method, path)
        assert any(status.startswith("2") for status in described["responses"])
        for scheme in described.get("security", []):
            assert scheme.keys() <= components["securitySchemes"].keys()


def test_what_is_served_is_documented(world: World, document: Json) -> None:
    """
    Every operation of the application, and nothing else, is in the document.
    """
    served = {(each.method, each.path) for each in world.operations}
    documented = {(method, path) for method, path, _ in operations(document)}

    assert served == documented


def test_every_call_stands_under_one_heading(document: Json) -> None:
    """
    Each has one tag of the document's, and no tag is without a call.
    """
    used = [described["tags"] for _, _, described in operations(document)]

    assert all(len(tags) == 1 for tags in used)
    assert {tag["name"] for tag in document["tags"]} == {tags[0] for tags in used}


def test_bodies_are_closed(document: Json) -> None:
    """
    Every request body says that unknown fields are refused.
    """
    for _, _, described in operations(document):
        content = described.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
            schema = document["components"]["schemas"][name]
            assert schema["additionalProperties"] is False


def test_every_body_has_an_example(world: World, document: Json) -> None:
    """
    What comes in is shown by example, and each example is valid.
    """
    schemas = document["components"]["schemas"]
    for operation in world.operations:
        if operation.body is not None:
            assert "examples" in schemas[operation.body.__name__], operation.id
    for schema in schemas.values():
        for example in schema.get("examples", ()):
            whole = {**schema, "components": document["components"]}
            Draft202012Validator(whole).validate(example)


def test_every_problem_of_a_route_is_documented(world: World, document: Json) -> None:
    """
    The codes that an operation may refuse with stand under their statuses.
    """
    for operation in world.operations:
        described = document["paths"][operation.path][operation.method.lower()]
        for status, codes in problem_codes(operation).items():
            text = json.dumps(described["responses"][str(status)])
            assert all(f"problems/{code}" in text for code in codes)


@pytest.mark.parametrize("state", SpaceState)
def test_answers_are_as_documented(
    world: World, document: Json, state: SpaceState
) -> None:
    """
    Whatever each operation answers, to whoever and in any state, its schema allows.
    """
    for person in ("host", "ana", "nobody"):
        for operation in world.operations:
            world.database.put_space(a_space(state))
            world.database.put_member(SPACE_ID, a_participant("bo"))
            world.database.runtimes[SPACE_ID] = a_runtime()
            path = operation.path.format(
                space_id=SPACE_ID,
                user_id="bo",
                session_id="session-0123456789",
                device_id="phone",
                report_id="0" * 32,
                recording_id=SPACE_ID,
                clip_id="1",
                epoch=1,
                number=1,
                id=SPACE_ID,
            )
            if operation.access == "grant":
                response = world.post_sdp(path, a_grant(), AN_OFFER)
                if operation.method != "POST":
                    continue
            else:
                body = {
                    "put_me": {"handle": person, "display_name": "x"},
                    "send_invites": {"user_ids": ["bo"]},
                    "report_space": {"reason": "spam"},
                    "put_device": {"platform": "web", "app_version": "1"},
                    "edit_space": {"title": "Coffee"},
                }
                response = world.call(
                    operation.method,
                    path,
                    as_user=person,
                    json=body.get(operation.id, {}) if operation.body else None,
                )
            described = document["paths"][operation.path][operation.method.lower()]
            answer = described["responses"][str(response.status_code)]
            _must_fit(answer, response.mimetype or "", document, response)


def _must_fit(answer: Json, mimetype: str, document: Json, response: Any) -> None:
    if response.status_code in (202, 204):
        return
    content = answer["content"][mimetype]
    if mimetype in ("application/sdp", "application/x-ndjson", "text/html"):
        return
    if mimetype == "application/problem+json":
        assert code_of(response) in answer["description"].split(", ")
    schema = {**content["schema"], "components": document["components"]}
    Draft202012Validator(schema).validate(response.get_json())


def test_the_readmes_calls_are_served(document: Json) -> None:
    """
    Under the very names of its table.
    """
    served = {
        (method, re.sub(r"{[^}]*}", "{}", path))
        for method, path, _ in operations(document)
    }
    named = set(in_readme())

    assert len(named) > 30
    assert named <= served


def test_nothing_refers_to_a_file(document: Json) -> None:
    """
    A docstring becomes a description: whoever reads the API has no repository at hand.
    """
    assert re.findall(r"\w+\.(?:md|py)\b", json.dumps(document)) == []

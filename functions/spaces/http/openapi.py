"""The OpenAPI 3.1 document, generated from the table of operations."""

import functools
import re
from collections.abc import Sequence
from typing import Any, Final

import flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from spaces_contract.control import CONTROL_STATUS
from spaces_contract.ids import SESSION_ID_PATTERN, SPACE_ID_PATTERN, USER_ID_PATTERN
from spaces_contract.media import SDP_CONTENT_TYPE

from ..domain.errors import (
    AccountSuspended,
    Contended,
    DependencyUnavailable,
    SpaceError,
    UpdateRequired,
)
from ..service.errors import (
    GrantInvalid,
    GrantMissing,
    IdTokenExpired,
    IdTokenInvalid,
    IdTokenMissing,
    ListenTokenExpired,
    ListenTokenInvalid,
    ListenTokenMissing,
    OperatorKeyInvalid,
)
from .app_check import HEADER as APP_CHECK_HEADER
from .client_app import (
    PLATFORM_HEADER,
    PLATFORM_PATTERN,
    VERSION_HEADER,
    VERSION_PATTERN,
)
from .clips import CLIP_ID_PATTERN
from .errors import (
    AppCheckRequired,
    BodyTooLarge,
    InvalidField,
    InvalidHeader,
    MalformedJson,
    RateLimited,
    UnknownField,
    UnsupportedMediaType,
)
from .examples import EXAMPLES
from .operations import JSON_CONTENT_TYPE, KEY_PATTERN, Access, Call, Operation
from .people import DEVICE_ID_PATTERN
from .problems import PROBLEM_BASE, PROBLEM_TYPE, STATUS
from .tags import TAGS, in_order, tag_of
from .x_schemas import ID

API_VERSION: Final = "1.0.0"
REF_TEMPLATE: Final = "#/components/schemas/{model}"
Json = dict[str, Any]

# What stands in a path, by its name there.
PATH_SHAPES: Final = {
    "space_id": SPACE_ID_PATTERN,
    "recording_id": SPACE_ID_PATTERN,
    "clip_id": CLIP_ID_PATTERN,
    "user_id": USER_ID_PATTERN,
    "session_id": SESSION_ID_PATTERN,
    "device_id": DEVICE_ID_PATTERN,
    "id": re.compile(ID),
}
ETAG: Final[Json] = {
    "type": "string",
    "pattern": '^(\\*|"[!#-~]+")$',
    "examples": ['"6460f2a1c3d80"'],
}

PROBLEM_SCHEMA: Final[Json] = {
    "type": "object",
    "description": "RFC 9457; programs switch on `type`.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "retry_after_ms": {
            "type": "integer",
            "description": "Wait so long before the first try again, and twice as "
            "long before each further one; Retry-After is the same in whole seconds",
        },
        "minimum": {
            "type": ["string", "null"],
            "description": "Version of the app that can; null: none on this platform",
        },
        "state": {
            "type": "string",
            "description": "Of the Space, request or invite, where it matters",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
ACCESS_ERRORS: Final[dict[Access, tuple[type[SpaceError], ...]]] = {
    Access.PUBLIC: (),
    Access.OPTIONAL: (
        IdTokenInvalid,
        IdTokenExpired,
        AppCheckRequired,
        RateLimited,
        AccountSuspended,
    ),
    Access.ID_TOKEN: (
        IdTokenMissing,
        IdTokenInvalid,
        IdTokenExpired,
        AppCheckRequired,
        RateLimited,
        AccountSuspended,
    ),
    Access.GRANT: (GrantMissing, GrantInvalid),
    Access.LISTEN_TOKEN: (
        ListenTokenMissing,
        ListenTokenInvalid,
        ListenTokenExpired,
    ),
    Access.OPERATOR: (OperatorKeyInvalid,),
}


def operation(documented: Sequence[Operation], public_url: str) -> Operation:
    """Return the operation that serves the document of `documented`."""
    # Generated when somebody asks: a cold start has no time for it.
    served = functools.cache(lambda: document(documented, public_url))

    def get(_: Call) -> flask.Response:
        return flask.jsonify(served())

    return Operation(
        id="get_openapi",
        method="GET",
        path="/v1/openapi.json",
        summary="This document",
        access=Access.PUBLIC,
        handle=get,
    )


def document(documented: Sequence[Operation], public_url: str) -> Json:
    """Return the OpenAPI document of `documented`, as JSON values."""
    paths: dict[str, Json] = {}
    for each in in_order(documented):
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    schemas = {**_schemas(documented), "Problem": PROBLEM_SCHEMA}
    for name in schemas.keys() & EXAMPLES.keys():
        schemas[name] = {**schemas[name], "examples": [EXAMPLES[name]]}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Parley",
            "version": API_VERSION,
            "description": "Live audio rooms. Errors are RFC 9457 problems.",
        },
        "servers": [{"url": public_url}],
        "tags": [{"name": tag.name, "description": tag.about} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                Access.ID_TOKEN.value: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A Firebase ID token",
                },
                Access.GRANT.value: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A grant, as join answers it",
                },
                Access.LISTEN_TOKEN.value: {
                    "type": "apiKey",
                    "in": "query",
                    "name": "t",
                    "description": "A listen token; its cookie does as well",
                },
                Access.OPERATOR.value: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key of the operator; never sent by an app",
                },
            },
        },
    }


def problem_codes(each: Operation) -> dict[int, list[str]]:
    """Return every code that an operation may refuse with, by status."""
    kinds = [*each.errors, *ACCESS_ERRORS[each.access]]
    kinds += [Contended, DependencyUnavailable]
    if each.body is not None:
        kinds += [MalformedJson, BodyTooLarge]
    if each.body is not None or (each.query is not None and not each.invalid_answer):
        kinds += [UnknownField, InvalidField]
    if each.body is not None or each.sdp:
        kinds += [UnsupportedMediaType]
    if each.idempotency_key or each.if_match:
        kinds += [InvalidHeader]
    if each.needs is not None:
        kinds += [UpdateRequired, InvalidHeader]
    codes: dict[int, list[str]] = {}
    for kind in dict.fromkeys(kinds):
        codes.setdefault(STATUS[kind].value, []).append(kind.code)
    for refusal in each.refusals:
        codes.setdefault(CONTROL_STATUS[refusal], []).append(refusal.value)
    return {status: sorted(set(found)) for status, found in sorted(codes.items())}


def _operation(each: Operation) -> Json:
    described: Json = {
        "operationId": each.id,
        "tags": [tag_of(each.path).name],
        "summary": each.summary,
        "parameters": _parameters(each),
        "responses": {
            str(each.status): _answer(each),
            **{
                str(status): _problem(codes)
                for status, codes in problem_codes(each).items()
            },
        },
    }
    if each.invalid_answer is not None:
        described["responses"]["400"] = {
            "description": "Some parameters are not valid",
            "content": {JSON_CONTENT_TYPE: {"schema": _ref(each.invalid_answer)}},
        }
    for status in each.page_statuses:
        nothing: Json = {"description": "The page, without the Space", "content": {}}
        other = described["responses"].setdefault(str(status), nothing)
        other["content"][each.page] = {"schema": {"type": "string"}}
    if each.access is Access.OPTIONAL:
        described["security"] = [{}, {Access.ID_TOKEN.value: []}]
    elif each.access is not Access.PUBLIC:
        described["security"] = [{each.access.value: []}]
    if each.body is not None:
        described["requestBody"] = {
            "required": each.body_required,
            "content": {JSON_CONTENT_TYPE: {"schema": _ref(each.body)}},
        }
    if each.sdp:
        described["requestBody"] = {"required": True, "content": _sdp_content()}
    return described


def _parameters(each: Operation) -> list[Json]:
    found = [
        _parameter(name, "path", _text(PATH_SHAPES.get(name)), required=True)
        for name in re.findall(r"{(\w+)}", each.path)
    ]
    if each.query is not None:
        query = each.query.model_json_schema()
        needed = query.get("required", ())
        found += [
            _parameter(name, "query", schema, required=name in needed)
            for name, schema in query["properties"].items()
        ]
    if each.idempotency_key:
        found.append(_parameter("Idempotency-Key", "header", _text(KEY_PATTERN)))
    if each.if_match:
        found.append(_parameter("If-Match", "header", ETAG))
    if each.access in (Access.ID_TOKEN, Access.OPTIONAL):
        found.append(_parameter(APP_CHECK_HEADER, "header", {"type": "string"}))
    if each.needs is not None or each.id == "get_capabilities":
        found += [
            _parameter(PLATFORM_HEADER, "header", _text(PLATFORM_PATTERN)),
            _parameter(VERSION_HEADER, "header", _text(VERSION_PATTERN)),
        ]
    return found


def _text(shape: re.Pattern[str] | None) -> Json:
    if shape is None:
        return {"type": "string"}
    return {"type": "string", "minLength": 1, "pattern": f"^{shape.pattern}$"}


def _parameter(name: str, place: str, schema: Json, *, required: bool = False) -> Json:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _answer(each: Operation) -> Json:
    answer: Json = {"description": "Done"}
    if each.answer is not None:
        answer["content"] = {JSON_CONTENT_TYPE: {"schema": _ref(each.answer)}}
    if each.sdp:
        answer["content"] = _sdp_content()
    if each.page is not None:
        answer["content"] = {each.page: {"schema": {"type": "string"}}}
    if each.creates:
        location = {"schema": {"type": "string", "format": "uri"}, "required": True}
        answer["headers"] = {"Location": location}
    return answer


def _problem(codes: Sequence[str]) -> Json:
    types = [PROBLEM_BASE + code for code in codes]
    narrowed = {"properties": {"type": {"enum": types}}}
    schema = {"allOf": [{"$ref": REF_TEMPLATE.format(model="Problem")}, narrowed]}
    return {
        "description": ", ".join(codes),
        "content": {PROBLEM_TYPE: {"schema": schema}},
    }


def _sdp_content() -> Json:
    return {SDP_CONTENT_TYPE: {"schema": {"type": "string"}}}


def _ref(model: type[BaseModel]) -> Json:
    return {"$ref": REF_TEMPLATE.format(model=model.__name__)}


def _schemas(documented: Sequence[Operation]) -> dict[str, Json]:
    answers = dict.fromkeys(
        model
        for each in documented
        for model in (each.answer, each.invalid_answer)
        if model is not None
    )
    bodies = dict.fromkeys(each.body for each in documented if each.body)
    _, definitions = models_json_schema(
        [
            *((model, "serialization") for model in answers),
            *((model, "validation") for model in bodies),
        ],
        ref_template=REF_TEMPLATE,
    )
    schemas: dict[str, Json] = definitions["$defs"]
    return schemas

"""`/docs`: one page that shows the OpenAPI document to people."""

import base64
import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import flask

from spaces_contract.control import CONTROL_STATUS

from . import openapi
from .operations import Access, Call, Operation
from .problem_guide import advice
from .problems import PROBLEM_BASE, STATUS

Json = dict[str, Any]
Called = tuple[str, str, Json]  # method, path, and what the document says of it
HTML: Final = "text/html"
STYLE: Final = Path(__file__).with_name("docs.css")
# Werkzeug's own answers, before any operation is found.
EDGE: Final = {
    "not-found": HTTPStatus.NOT_FOUND,
    "method-not-allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "internal-error": HTTPStatus.INTERNAL_SERVER_ERROR,
}
INTRO: Final = """
<p>JSON over HTTPS, snake_case, RFC 3339 times in UTC. The same as a program reads it:
<a href="/v1/openapi.json">/v1/openapi.json</a> (OpenAPI 3.1).</p>
<ul>
<li><b>Signing in</b>: <code>Authorization: Bearer &lt;Firebase ID token&gt;</code>.
Media calls take the grant that <code>join</code> answers, instead.</li>
<li><b>Creating once</b>: send <code>Idempotency-Key</code>; the same key within 24 h
answers what it made. Another body with the same key is refused.</li>
<li><b>Editing what you saw</b>: send <code>If-Match</code> with the <code>ETag</code>
of your last read; 412 says that it has changed since.</li>
<li><b>Lists</b>: <code>page_size</code>, and <code>page_token</code> from
<code>next_page_token</code>. A page may be shorter than asked; null is the end.</li>
<li><b>Problems</b>: RFC 9457. Switch on <code>type</code>; show <code>detail</code>;
all of them stand <a href="#problems">below</a>.</li>
</ul>
"""


def operation(documented: Sequence[Operation], public_url: str) -> Operation:
    """Return the operation that shows the document of `documented`."""
    # Made when somebody asks: a cold start has no time for it.
    made = functools.cache(lambda: page(openapi.document(documented, public_url)))

    def get(call: Call) -> flask.Response:
        response = flask.Response(made(), mimetype=HTML)
        response.headers["Content-Security-Policy"] = _policy()
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "public, max-age=300"
        response.add_etag()
        response.make_conditional(call.request)
        return response

    return Operation(
        id="get_docs",
        method="GET",
        path="/docs",
        summary="This document, to be read",
        access=Access.PUBLIC,
        handle=get,
        page=HTML,
    )


def page(document: Json) -> str:
    """Return the whole page."""
    schemas = document["components"]["schemas"]
    chapters = _chapters(document)
    parts = [
        f"<h1>{escape(document['info']['title'])} API</h1>{INTRO}",
        _contents(chapters),
        *(_chapter(tag, operations) for tag, operations in chapters),
        '<h2 id="models">Models</h2>',
        *(_model(name, schemas[name]) for name in sorted(schemas)),
        _problems(),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Parley API</title><style>{_style()}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>"
    )


@functools.cache
def _style() -> str:
    return STYLE.read_text()


@functools.cache
def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _chapters(document: Json) -> list[tuple[Json, list[Called]]]:
    """Return the calls of each tag, in the document's order of both."""
    called: dict[str, list[Called]] = {each["name"]: [] for each in document["tags"]}
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            called[described["tags"][0]].append((method.upper(), path, described))
    return [(tag, called[tag["name"]]) for tag in document["tags"]]


def _contents(chapters: Sequence[tuple[Json, list[Called]]]) -> str:
    parts = (
        f'<h3><a href="#{_anchor(tag)}">{escape(tag["name"])}</a></h3>'
        f"<ul>{''.join(_entry(*each) for each in operations)}</ul>"
        for tag, operations in chapters
    )
    return f'<nav aria-label="Calls">{"".join(parts)}</nav>'


def _entry(method: str, path: str, described: Json) -> str:
    return (
        f'<li><a href="#{escape(described["operationId"])}">'
        f"<code>{method} {escape(path)}</code></a> {escape(described['summary'])}</li>"
    )


def _chapter(tag: Json, operations: Sequence[Called]) -> str:
    return (
        f'<h2 id="{_anchor(tag)}">{escape(tag["name"])}</h2>'
        f"<p>{escape(tag['description'])}</p>"
        f"{''.join(_operation(*each) for each in operations)}"
    )


def _anchor(tag: Json) -> str:
    return "calls-" + str(tag["name"]).lower().replace(" ", "-")


def _operation(method: str, path: str, described: Json) -> str:
    name = escape(described["operationId"])
    body = described.get("requestBody", {}).get("content", {})
    answers = described["responses"]
    return (
        f'<section id="{name}"><h3><code>{method} {escape(path)}</code></h3>'
        f"<p>{escape(described['summary'])}. {_who(described)}</p>"
        f"{_parameters(described['parameters'])}"
        f"{_line('Body', _content(body)) if body else ''}"
        f"{''.join(_answer(status, answers[status]) for status in sorted(answers))}"
        "</section>"
    )


def _who(described: Json) -> str:
    schemes = described.get("security")
    if not schemes:
        return "Open to anybody."
    names = [name for scheme in schemes for name in scheme]
    needed = " or ".join(name.replace("_", " ") for name in names)
    return f"{'May take' if {} in schemes else 'Takes'} a bearer token: {needed}."


def _parameters(parameters: Sequence[Json]) -> str:
    if not parameters:
        return ""
    rows = (
        (
            f"<code>{escape(each['name'])}</code>",
            each["in"] + (", required" if each["required"] else ""),
            _type(each["schema"]),
        )
        for each in parameters
    )
    return _table(("Parameter", "In", "Type"), rows)


def _answer(status: str, answer: Json) -> str:
    content = answer.get("content", {})
    if "application/problem+json" in content:
        codes = [code for code in answer["description"].split(", ") if " " not in code]
        links = (f'<a href="#problem-{code}">{code}</a>' for code in codes)
        return _line(status, ", ".join(links))
    return _line(status, _content(content) or "no content")


def _content(content: Json) -> str:
    return ", ".join(
        f"<code>{escape(kind)}</code> {_type(content[kind]['schema'])}"
        for kind in content
    )


def _line(name: str, text: str) -> str:
    return f'<p class="line"><b>{escape(name)}</b> {text}</p>'


def _model(name: str, schema: Json) -> str:
    required = schema.get("required", ())
    rows = (
        (
            f"<code>{escape(field)}</code>",
            _type(each) + (", required" if field in required else ""),
            escape(each.get("description", "")),
        )
        for field, each in schema.get("properties", {}).items()
    )
    table = _table(("Field", "Type", ""), rows) if "properties" in schema else ""
    about = escape(schema.get("description", ""))
    kind = "" if table else f"<p>{_type(schema)}</p>"
    return (
        f'<section id="model-{escape(name)}"><h3>{escape(name)}</h3>'
        f"<p>{about}</p>{kind}{table}{_example(schema)}</section>"
    )


def _example(schema: Json) -> str:
    if "examples" not in schema:
        return ""
    text = json.dumps(schema["examples"][0], indent=2, ensure_ascii=False)
    return f'<div class="wide"><pre>{escape(text)}</pre></div>'


def _type(schema: Json) -> str:
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#model-{name}">{name}</a>'
    for joined in ("anyOf", "allOf", "oneOf"):
        if joined in schema:
            return " or ".join(_type(each) for each in schema[joined])
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        return ", ".join(f"<code>{escape(str(value))}</code>" for value in values)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}{_bounds(schema)}"
    return escape(str(schema.get("type", "any"))) + _bounds(schema)


def _bounds(schema: Json) -> str:
    names = {
        "minimum": "≥",
        "maximum": "≤",
        "minLength": "length ≥",
        "maxLength": "length ≤",
        "minItems": "count ≥",
        "maxItems": "count ≤",
        "format": "",
        "default": "default",
    }
    found = [
        f"{names[key]} {escape(str(schema[key]))}".strip()
        for key in names
        if schema.get(key) is not None
    ]
    return f" <small>({', '.join(found)})</small>" if found else ""


def _problems() -> str:
    statuses = {code: status.value for code, status in EDGE.items()}
    statuses |= {error.code: status.value for error, status in STATUS.items()}
    statuses |= {code.value: int(each) for code, each in CONTROL_STATUS.items()}
    rows = (
        (
            f'<code id="problem-{code}">{escape(code)}</code>',
            str(statuses[code]),
            escape(advice(code, statuses[code])),
        )
        for code in sorted(statuses)
    )
    return (
        '<h2 id="problems">Problems</h2>'
        f"<p><code>type</code> is <code>{escape(PROBLEM_BASE)}</code> and the code.</p>"
        f"{_table(('Code', 'Status', 'What to do'), rows)}"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    lines = (f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )

"""firebase.json, the rules and the indexes fit the code."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from infra.local.gateway.hosting_rules import read_rules

ROOT = Path(__file__).parents[3]
SCHEMA = ROOT / "tests" / "data" / "firebase_tools" / "firebase-config.json"
PAGES = ("/", "/index.html", "/inbox", "/me", "/app.js", "/views/room.js", "/icons.svg")


def firebase() -> dict[str, Any]:
    """Return firebase.json."""
    loaded: dict[str, Any] = json.loads((ROOT / "firebase.json").read_text())
    return loaded


def test_firebase_tools_would_take_it() -> None:
    """
    Its own schema finds no field that it does not know.
    """
    schema = json.loads(SCHEMA.read_text())

    jsonschema.Draft7Validator(schema).validate(firebase())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft7Validator(schema).validate({**firebase(), "hostin": {}})


def test_named_files_are_there() -> None:
    """
    Rules, indexes and the web client are where firebase.json says.
    """
    config = firebase()

    assert (ROOT / config["firestore"]["rules"]).is_file()
    assert (ROOT / config["firestore"]["indexes"]).is_file()
    assert config["hosting"]["public"] == "infra/hosting/public"


def test_the_content_policy_trusts_ourselves_only() -> None:
    """
    No inline script, no other origin; media may be blobs.
    """
    everywhere = firebase()["hosting"]["headers"][0]
    headers = {entry["key"]: entry["value"] for entry in everywhere["headers"]}
    parts = headers["Content-Security-Policy"].split(";")
    policy = {
        name: value for name, _, value in (p.strip().partition(" ") for p in parts)
    }

    assert everywhere["source"] == "**"
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["media-src"] == "'self' blob:"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert policy["object-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    assert "microphone=(self)" in headers["Permissions-Policy"]


@pytest.mark.parametrize("path", PAGES)
def test_the_web_client_is_never_of_two_releases(path: str) -> None:
    """
    Its modules have no hash in their names, so browsers ask whether they changed.
    """
    rules = read_rules(ROOT / "firebase.json")

    assert rules.headers_for(path)["Cache-Control"] == "no-cache"


def test_the_api_is_behind_the_same_origin() -> None:
    """
    The API goes to the function, and so does a Space's page, for its tags.
    """
    rewrites = {rule["source"]: rule for rule in firebase()["hosting"]["rewrites"]}

    for source in ("/v1/**", "/2/**", "/s/*", "/docs", "/.well-known/*"):
        assert rewrites[source]["run"]["serviceId"] == "api"
    assert list(rewrites).index("/s/*") < list(rewrites).index("/s/**")


def test_rules_let_nobody_write() -> None:
    """
    Every write is refused; what may be read, `tests/conformance/rules` tells.
    """
    rules = (ROOT / "infra/firestore.rules").read_text()
    allowed = [line.strip() for line in rules.splitlines() if "allow" in line]

    writes = [line for line in allowed if "write" in line.split(":")[0]]
    assert writes == ["allow write: if false;"]
    assert not any(
        verb in line for verb in ("create", "update", "delete") for line in allowed
    )

"""firebase.json, the rules and the indexes fit the code."""

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def firebase() -> dict[str, Any]:
    """Return firebase.json."""
    loaded: dict[str, Any] = json.loads((ROOT / "firebase.json").read_text())
    return loaded


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
    assert headers["X-Content-Type-Options"] == "nosniff"


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
    Clients read public Space documents and their own; every write is refused.
    """
    rules = (ROOT / "infra/firestore.rules").read_text()
    allowed = [line.strip() for line in rules.splitlines() if "allow" in line]

    writes = [line for line in allowed if "write" in line.split(":")[0]]
    assert writes == ["allow write: if false;"]
    assert "allow read: if true;" in allowed

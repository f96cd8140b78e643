"""firebase.json's hosting rules."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.local.gateway.hosting_rules import (
    HostingRules,
    Target,
    glob_to_regex,
    read_rules,
)


@pytest.mark.parametrize(
    ("glob", "matching", "other"),
    [
        ("/v1/**", ["/v1/a", "/v1/a/b", "/v1/"], ["/v2/a", "/v1", "/x/v1/a"]),
        ("**", ["/", "/a/b"], []),
        ("**/*.js", ["/a.js", "/b/c.js"], ["/a.json"]),
        ("/*", ["/a", "/"], ["/a/b"]),
        ("/s/*/x", ["/s/1/x"], ["/s/1/2/x", "/s/x"]),
        ("**/*.@(png|svg)", ["/i/a.png", "/a.svg"], ["/a.gif"]),
        ("/{a,b}/?", ["/a/1", "/b/2"], ["/c/1", "/a/12"]),
        ("index.html", ["/index.html"], ["/indexxhtml"]),
        ("/a.b+c", ["/a.b+c"], ["/aXb+c", "/a.bbc"]),
    ],
)
def test_globs_match_as_hosting_does(
    glob: str, matching: list[str], other: list[str]
) -> None:
    """
    `*` stays within a folder, `**` does not, and the rest is literal.
    """
    pattern = glob_to_regex(glob)

    assert all(pattern.fullmatch(path) for path in matching)
    assert not any(pattern.fullmatch(path) for path in other)


def rules_of(tmp_path: Path, hosting: Any) -> HostingRules:
    """Return the rules of a firebase.json with this hosting part."""
    file = tmp_path / "firebase.json"
    file.write_text(json.dumps({"hosting": hosting}))
    return read_rules(file)


def test_the_first_rewrite_counts(tmp_path: Path) -> None:
    """
    Order decides, and a run or function rewrite is the functions'.
    """
    rules = rules_of(
        tmp_path,
        {
            "rewrites": [
                {"source": "/s/api/**", "run": {"serviceId": "api"}},
                {"source": "/s/**", "destination": "/index.html"},
            ]
        },
    )

    first, second = rules.rewrite("/s/api/x"), rules.rewrite("/s/x")
    assert first is not None
    assert first.target is Target.FUNCTIONS
    assert second is not None
    assert (second.target, second.file) == (Target.FILE, "/index.html")
    assert rules.rewrite("/other") is None


def test_later_headers_replace_earlier_ones(tmp_path: Path) -> None:
    """
    All matching rules add up; the last word on a header counts.
    """
    rules = rules_of(
        tmp_path,
        {
            "headers": [
                {"source": "**", "headers": [{"key": "A", "value": "1"}]},
                {
                    "source": "/x/**",
                    "headers": [{"key": "A", "value": "2"}, {"key": "B", "value": "3"}],
                },
            ]
        },
    )

    assert rules.headers_for("/y") == {"A": "1"}
    assert rules.headers_for("/x/y") == {"A": "2", "B": "3"}


def test_without_firebase_json_a_spaces_page_is_the_client(tmp_path: Path) -> None:
    """
    A fresh clone works before anybody has written the file.
    """
    rules = read_rules(tmp_path / "firebase.json")

    page = rules.rewrite("/s/abc")
    assert page is not None
    assert page.file == "/index.html"


@pytest.mark.parametrize("path", ["/v1/spaces", "/tasks/launch", "/docs", "/2/spaces"])
def test_the_functions_paths_are_always_theirs(tmp_path: Path, path: str) -> None:
    """
    What Hosting does not name in production is called there directly.
    """
    rewrite = rules_of(tmp_path, {"rewrites": []}).rewrite(path)

    assert rewrite is not None
    assert rewrite.target is Target.FUNCTIONS


def test_a_rewrite_to_nowhere_is_refused(tmp_path: Path) -> None:
    """
    A rule that we do not know is an error at the start, not a 404 later.
    """
    with pytest.raises(ValueError, match="destination"):
        rules_of(tmp_path, {"rewrites": [{"source": "/x", "dynamicLinks": True}]})

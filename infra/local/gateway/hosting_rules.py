"""What firebase.json says about hosting: rewrites, redirects and headers by path."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

_DEFAULT_PUBLIC: Final = "infra/hosting/public"
# A Space's page, where firebase.json names no rewrites.
_PAGES: Final = ({"source": "/s/**", "destination": "/index.html"},)
# The functions' own paths, reachable beside Hosting in production: `/tasks` is what
# Cloud Tasks calls.
_FUNCTION_PATHS: Final = tuple(
    {"source": source, "function": "api"}
    for prefix in ("v1", "2", "docs", ".well-known", "tasks")
    for source in (f"/{prefix}", f"/{prefix}/**")
)
_GLOB_TOKEN: Final = re.compile(r"\*\*/|\*\*|\*|\?|@\(([^)]*)\)|\{([^}]*)\}|.", re.S)


class Target(StrEnum):
    """What answers a path that is no static file."""

    FUNCTIONS = "functions"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Paths that match are answered by the functions or by one file."""

    pattern: re.Pattern[str]
    target: Target
    file: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Paths that match are elsewhere."""

    pattern: re.Pattern[str]
    location: str
    status: int


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """Headers of responses whose path matches."""

    pattern: re.Pattern[str]
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class HostingRules:
    """The `hosting` part of firebase.json."""

    public: str
    rewrites: tuple[Rewrite, ...]
    redirects: tuple[Redirect, ...] = ()
    headers: tuple[HeaderRule, ...] = ()

    def rewrite(self, path: str) -> Rewrite | None:
        """Return the first rewrite for `path`."""
        return next((r for r in self.rewrites if r.pattern.fullmatch(path)), None)

    def redirect(self, path: str) -> Redirect | None:
        """Return the first redirect for `path`."""
        return next((r for r in self.redirects if r.pattern.fullmatch(path)), None)

    def headers_for(self, path: str) -> dict[str, str]:
        """Return the headers for `path`; a later rule replaces an earlier one's."""
        merged: dict[str, str] = {}
        for rule in self.headers:
            if rule.pattern.fullmatch(path):
                merged |= rule.headers
        return merged


def read_rules(path: Path) -> HostingRules:
    """
    Read firebase.json; without one, a Space's page is the client's index.html.

    Raises:
        ValueError: the file is not JSON, or a rule has no known form.
    """
    try:
        config = json.loads(path.read_bytes()).get("hosting", {})
    except FileNotFoundError:
        config = {}
    if isinstance(config, list):  # several sites: the first is ours
        config = config[0]
    return HostingRules(
        public=config.get("public", _DEFAULT_PUBLIC),
        rewrites=tuple(_rewrites([*config.get("rewrites", _PAGES), *_FUNCTION_PATHS])),
        redirects=tuple(
            Redirect(_pattern(r), r["destination"], int(r.get("type", 301)))
            for r in config.get("redirects", ())
        ),
        headers=tuple(
            HeaderRule(_pattern(r), {h["key"]: h["value"] for h in r["headers"]})
            for r in config.get("headers", ())
        ),
    )


def glob_to_regex(glob: str) -> re.Pattern[str]:
    """
    Translate a Hosting glob: `**` over folders, `*` within one, `@(a|b)`, `{a,b}`.
    """
    rooted = glob if glob.startswith(("/", "**")) else f"/{glob}"
    parts = [_token_regex(match) for match in _GLOB_TOKEN.finditer(rooted)]
    return re.compile("".join(parts))


def _token_regex(match: re.Match[str]) -> str:
    match match.group():
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
    if match.group(1) is not None:
        return _alternatives(match.group(1).split("|"))
    if match.group(2) is not None:
        return _alternatives(match.group(2).split(","))
    return re.escape(match.group())


def _alternatives(globs: Iterable[str]) -> str:
    translated = (
        "".join(_token_regex(m) for m in _GLOB_TOKEN.finditer(glob)) for glob in globs
    )
    return f"(?:{'|'.join(translated)})"


def _rewrites(entries: Iterable[Mapping[str, Any]]) -> Iterable[Rewrite]:
    for entry in entries:
        if "destination" in entry:
            yield Rewrite(_pattern(entry), Target.FILE, entry["destination"])
        elif "function" in entry or "run" in entry:
            yield Rewrite(_pattern(entry), Target.FUNCTIONS)
        else:
            raise ValueError(f"a rewrite without a destination: {dict(entry)}")


def _pattern(entry: Mapping[str, Any]) -> re.Pattern[str]:
    if "regex" in entry:
        return re.compile(f".*(?:{entry['regex']}).*")
    return glob_to_regex(entry["source"])

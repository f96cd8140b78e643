"""What pages and apps outside the API need of the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from .domain.web_app import WebApp
from .environment import EnvironmentReader

APPLE_APP_ID: Final = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9.-]{1,155}")
PACKAGE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+")
FINGERPRINT: Final = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){31}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PagesConfig:
    """
    Where the web client is, and which apps may open its links.

    Args:
        shell_url: The web client's page, into which share pages put their tags.
        apple_app_ids: "<team>.<bundle>" each; empty: no app of ours.
        android_apps: Package name -> SHA-256 fingerprints of its certificates.
        web_app: The Firebase app by which the web client signs in; None: the embedded
            stack's own way.
    """

    shell_url: str
    apple_app_ids: tuple[str, ...]
    android_apps: Mapping[str, tuple[str, ...]]
    web_app: WebApp | None


def read_pages(reader: EnvironmentReader, *, public_url: str) -> PagesConfig:
    """Read what may be missing: a deployment without apps has a web client."""
    return PagesConfig(
        shell_url=reader.env.get("PARLEY_WEB_SHELL_URL") or f"{public_url}/index.html",
        apple_app_ids=reader.json(
            "PARLEY_APPLE_APP_IDS",
            _apple_app_ids,
            default="[]",
            form='["TEAMID1234.com.example.app"]',
        )
        or (),
        android_apps=reader.json(
            "PARLEY_ANDROID_APPS",
            _android_apps,
            default="{}",
            form='{"com.example.app": ["<SHA-256 as 32 pairs with colons>"]}',
        )
        or {},
        web_app=reader.json(
            "PARLEY_WEB_APP",
            _web_app,
            default="null",
            form='{"api_key": "…", "app_id": "1:…", "project_id": "…", '
            '"sender_id": "…"}',
        ),
    )


def _web_app(row: Any) -> WebApp | None:
    """Read a Firebase web app, with the keys of App Check and pushes where it has."""
    if row is None:
        return None
    app = WebApp(**row)
    if not all(isinstance(each, str) and each for each in app.given()):
        raise TypeError(row)
    return app


def _apple_app_ids(entries: Any) -> tuple[str, ...]:
    if not isinstance(entries, list):
        raise TypeError(entries)
    return tuple(_shaped(APPLE_APP_ID, entry) for entry in entries)


def _android_apps(rows: Any) -> Mapping[str, tuple[str, ...]]:
    return {
        _shaped(PACKAGE, package): tuple(_shaped(FINGERPRINT, each) for each in found)
        for package, found in rows.items()
    }


def _shaped(pattern: re.Pattern[str], text: Any) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(text)
    return str(text)

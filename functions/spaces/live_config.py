"""Where HLS and room.json are, and who serves keys to a very large audience."""

from dataclasses import dataclass
from typing import Any, Final

from .environment import EnvironmentReader

MIN_SECRET_CHARS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysCdn:
    """
    A CDN that serves HLS keys to whoever shows its signature.

    Args:
        url: Of what it serves, without a slash at the end.
        secret: Shared with it; see `adapters.secure_links`.
        store_url: The store behind it, where workers put keys.
    """

    url: str
    secret: str
    store_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveConfig:
    """
    Settings of the live edge.

    Args:
        url: Where listeners reach it: a CDN, or we.
        store_url: The object store behind that: "file:///…", "s3://…", "gs://…".
        keys: None where functions serve keys to any audience.
    """

    url: str
    store_url: str
    keys: KeysCdn | None


def read_live(reader: EnvironmentReader, *, public_url: str) -> LiveConfig:
    """Read the environment; what is wrong there the reader keeps."""
    live = LiveConfig(
        url=(reader.env.get("PARLEY_LIVE_URL") or public_url).rstrip("/"),
        store_url=reader.text("PARLEY_LIVE_EDGE_URL"),
        keys=reader.json(
            "PARLEY_LIVE_KEYS",
            _keys,
            default="null",
            form='{"url": "https://keys.example", "store_url": "gs://…", '
            f'"secret": at least {MIN_SECRET_CHARS} characters}}',
        ),
    )
    if live.keys and live.keys.store_url == live.store_url:
        reader.complain("PARLEY_LIVE_KEYS must name a store of its own")
    return live


def _keys(entry: Any) -> KeysCdn | None:
    if entry is None:
        return None
    found = KeysCdn(
        url=str(entry["url"]).rstrip("/"),
        secret=str(entry["secret"]),
        store_url=str(entry["store_url"]),
    )
    if len(found.secret) < MIN_SECRET_CHARS:
        raise ValueError("secret")
    return found

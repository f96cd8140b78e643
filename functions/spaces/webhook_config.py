"""Where operators want events, from the environment."""

import base64
import binascii
from typing import Any, Final
from urllib.parse import urlsplit

from .domain.webhook import Endpoint
from .environment import EnvironmentReader

NAME: Final = "PARLEY_WEBHOOKS"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - of secrets, as Standard Webhooks has it
MIN_SECRET_BYTES: Final = 24


def read_webhooks(
    reader: EnvironmentReader, *, production: bool
) -> tuple[Endpoint, ...]:
    """Read a JSON list; none where it is not set."""
    endpoints = reader.json(
        NAME,
        lambda entries: tuple(_endpoint(entry) for entry in entries),
        default="[]",
        form='[{"url": "https://…", "secret": "whsec_…", "events": []}, …]',
    )
    for endpoint in endpoints or ():
        if production and urlsplit(endpoint.url).scheme != "https":
            reader.complain(f"{NAME} must have https URLs in production")
    return endpoints or ()


def _endpoint(entry: Any) -> Endpoint:
    url = str(entry["url"])
    if urlsplit(url).scheme not in ("https", "http") or not urlsplit(url).hostname:
        raise ValueError(url)
    return Endpoint(
        url=url,
        secret=_secret(str(entry["secret"])),
        events=frozenset(str(each) for each in entry.get("events", ())),
    )


def _secret(text: str) -> bytes:
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(SECRET_PREFIX)
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError(SECRET_PREFIX) from error
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(SECRET_PREFIX)
    return secret

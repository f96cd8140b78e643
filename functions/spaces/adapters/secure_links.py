"""Signed prefixes of a CDN, as nginx's `secure_link` checks them."""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import SpaceId
from spaces_contract.paths import live_keys

from ..service.listening import KeyPlace

LIFETIME: Final = timedelta(minutes=5)


class SecureLinks:
    """
    `KeyLinks` of a CDN which knows the secret; ADR 25 has what nginx is told.

    Args:
        url: Of what it serves, without a slash at the end.
    """

    def __init__(self, url: str, secret: str) -> None:
        self._url = url
        self._secret = secret

    def sign(self, space_id: SpaceId, *, now: datetime) -> KeyPlace:
        """Sign the prefix of all keys of a Space; see `KeyLinks`."""
        prefix = f"/{live_keys(space_id)}"
        expires = int((now + LIFETIME).timestamp())
        signed = f"{expires}{prefix} {self._secret}".encode()
        # secure_link knows no other digest; whoever broke it had keys for 5 minutes.
        digest = hashlib.md5(signed).digest()  # noqa: S324 - as the line above says
        signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        return KeyPlace(
            url=f"{self._url}{prefix.rstrip('/')}",
            query=f"md5={signature}&expires={expires}",
            cookie=f"{signature}.{expires}",
            lifetime=LIFETIME,
        )

"""Playback URLs of the embedded stack, whose gateway reads the folder of objects."""

import hmac
from datetime import datetime, timedelta
from urllib.parse import urlencode

from spaces_contract.consent_receipts import to_base64url


class LocalPlaybackUrls:
    """
    `PlaybackUrls` signed with a secret that the gateway has too.

    Args:
        public_url: Of the gateway.
        secret: HMAC-SHA256 key; over path and expiry, a line each.
    """

    def __init__(self, public_url: str, secret: str) -> None:
        self._public_url = public_url
        self._secret = secret.encode()

    def sign(self, name: str, *, now: datetime, lifetime: timedelta) -> str:
        """Sign path and expiry; see `PlaybackUrls`."""
        path = f"/{name}"
        expires = str(int((now + lifetime).timestamp()))
        digest = hmac.digest(self._secret, f"{path}\n{expires}".encode(), "sha256")
        query = urlencode({"expires": expires, "signature": to_base64url(digest)})
        return f"{self._public_url}{path}?{query}"

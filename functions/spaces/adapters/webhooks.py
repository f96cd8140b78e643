"""POSTs to operators' servers: to public addresses only, and straight there."""

import ipaddress
import logging
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import requests

from ..domain.errors import DependencyUnavailable

CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = 10.0

logger = logging.getLogger(__name__)


class HttpWebhookSender:
    """
    `WebhookSender` over HTTP.

    Args:
        private: Whether hosts may have private addresses, as on a laptop.
    """

    def __init__(self, *, private: bool) -> None:
        self._private = private

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Look at the host's addresses, then POST; see `WebhookSender`."""
        try:
            if not self._private:
                _must_be_public(url)
            # Answers are not read: a receiver could send one without end.
            with requests.post(
                url,
                data=body,
                headers=dict(headers),
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                return answer.status_code
        except (requests.RequestException, OSError) as error:
            logger.warning("webhook not sent", extra={"error": type(error).__name__})
            raise DependencyUnavailable from error


def _must_be_public(url: str) -> None:
    """Raise OSError where the host has an address that is not for everybody."""
    parts = urlsplit(url)
    found = socket.getaddrinfo(
        parts.hostname, parts.port or 443, proto=socket.IPPROTO_TCP
    )
    for *_, address in found:
        if not ipaddress.ip_address(str(address[0]).split("%")[0]).is_global:
            raise OSError("a webhook's host has a private address")

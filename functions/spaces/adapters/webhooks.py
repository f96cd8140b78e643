"""POSTs to operators' servers: to public addresses only, and straight there."""

import contextlib
import ipaddress
import logging
import socket
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network
from typing import Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from ..domain.errors import DependencyUnavailable

CONNECT_TIMEOUT_S: Final = 3.0
READ_TIMEOUT_S: Final = 10.0
MAX_ADDRESSES: Final = 3  # of one name; each may cost a timeout
NAT64: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: its last 32 bits are of IPv4

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
        """Look at the host's addresses, then POST to one; see `WebhookSender`."""
        try:
            return self._post(url, body, headers)
        except (requests.RequestException, OSError) as error:
            logger.warning("webhook not sent", extra={"error": type(error).__name__})
            raise DependencyUnavailable from error

    def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self._private:
            return _sent(url, body, headers)
        url = _canonical(url)
        *others, last = _public_addresses(url)[:MAX_ADDRESSES]
        for address in others:
            with contextlib.suppress(requests.ConnectionError):
                return _sent(url, body, headers, address)
        return _sent(url, body, headers, last)


def _sent(
    url: str, body: bytes, headers: Mapping[str, str], address: str | None = None
) -> int:
    """POST to the URL's name; where there is an address, to that in its stead."""
    with requests.Session() as session:
        # No proxy of the environment's: it would look the name up once more.
        session.trust_env = False
        if address is not None:
            # Looked up again to be called, a name may lead elsewhere than when it was
            # checked.  The certificate has to be the name's all the same.
            name, host = urlsplit(url).hostname, _host_header(url)
            adapter = HTTPAdapter()
            adapter.init_poolmanager(1, 1, server_hostname=name, assert_hostname=name)
            url, headers = _at(url, address), {**headers, "Host": host}
            session.mount("https://", adapter)
        # Answers are not read: a receiver could send one without end.
        with session.post(
            url,
            data=body,
            headers=dict(headers),
            timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
            allow_redirects=False,
            stream=True,
        ) as answer:
            return answer.status_code


def _canonical(url: str) -> str:
    """Return the URL as it is called: ASCII only, so that its host is as DNS has it."""
    return str(requests.Request("POST", url).prepare().url)


def _host_header(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _at(url: str, address: str) -> str:
    """Return the URL with an address for its name."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    host = f"[{address}]" if ":" in address else address
    port = f":{parts.port}" if parts.port else ""
    return parts._replace(netloc=f"{user}{at}{host}{port}").geturl()


def _public_addresses(url: str) -> list[str]:
    """Return a host's addresses; raise OSError where one is not for everybody."""
    parts = urlsplit(url)
    found = socket.getaddrinfo(
        parts.hostname, parts.port or 443, proto=socket.IPPROTO_TCP
    )
    addresses = [str(address[0]) for *_, address in found]
    if not all(map(_is_public, addresses)):
        raise OSError("a webhook's host has a private address")
    return addresses


def _is_public(text: str) -> bool:
    address = ipaddress.ip_address(text.split("%")[0])
    if isinstance(address, IPv6Address):
        if address.is_site_local:
            return False
        address = _carried(address) or address
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that packets to `address` end at, if they do."""
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour

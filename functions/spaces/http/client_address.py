"""Whose address a request comes from, as far as it can be known."""

from collections.abc import Callable
from ipaddress import IPv6Address, ip_address
from typing import Final

import flask

IPV6_HOST_BITS: Final = 64  # one household or phone has as many addresses as it likes


def limiter(count: Callable[[str], None], proxies: int) -> Callable[[], None]:
    """
    Return a check for each request, before its token is looked at.

    Args:
        count: Of an address; it raises to refuse the request.
        proxies: How many of ours each request comes through; 0: nothing is counted,
            as all that is known then is the last of them.
    """

    def check() -> None:
        address = client_address(flask.request, proxies)
        if address is not None:
            count(address)

    return check


def client_address(request: flask.Request, proxies: int) -> str | None:
    """
    Return the address that the outermost of our proxies saw; None where none did.

    What stands before it in X-Forwarded-For, anybody can have written.
    """
    seen = request.headers.get("X-Forwarded-For", "").split(",")
    if proxies < 1 or len(seen) < proxies:
        return None
    try:
        address = ip_address(seen[-proxies].strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    if isinstance(address, IPv6Address):
        network = int(address) >> IPV6_HOST_BITS << IPV6_HOST_BITS
        return str(IPv6Address(network))
    return str(address)

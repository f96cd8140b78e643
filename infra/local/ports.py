"""Sockets that the supervisor holds, and free ports for its children."""

import errno
import ipaddress
import random
import socket
from collections.abc import Container
from typing import Final

from .refusals import StartRefused

LOOPBACK: Final = "127.0.0.1"
# Below Linux' ephemeral range (32768 up): a client that calls a port in that range
# while nobody listens there can be connected to itself.
_FIRST_PORT: Final = 20_000
_LAST_PORT: Final = 29_999
_ATTEMPTS: Final = 200
_BACKLOG: Final = 512


def listen(address: str, port: int) -> socket.socket:
    """
    Open a listening TCP socket, to be inherited by the process that serves it.

    Raises:
        StartRefused: the port is taken, or this machine has no such address.
    """
    family = _family(address)
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except (OSError, OverflowError) as error:
        listener.close()
        raise StartRefused(_why_not(address, port, error)) from error
    return listener


def free_port(
    *, address: str = LOOPBACK, datagram: bool = False, taken: Container[int] = ()
) -> int:
    """
    Return a port that nobody holds just now and that stays out of clients' way.

    Args:
        datagram: Whether it is for UDP.
        taken: Ports that are promised already.

    Raises:
        StartRefused: no free port was found, or the address is not this machine's.
    """
    kind = socket.SOCK_DGRAM if datagram else socket.SOCK_STREAM
    for _ in range(_ATTEMPTS):
        port = random.randint(_FIRST_PORT, _LAST_PORT)  # noqa: S311 - not a secret
        if port in taken:
            continue
        with socket.socket(_family(address), kind) as probe:
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                raise StartRefused(_why_not(address, port, error)) from error
            return port
    raise StartRefused(f"no free port between {_FIRST_PORT} and {_LAST_PORT}")


def resolve_host(host: str) -> str:
    """
    Return the IP address of `host`, an address or a name of this machine.

    Raises:
        StartRefused: it does not resolve, is no single address, or is loopback.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise StartRefused(f"--host {host} is neither an address nor a name") from error
    address = str(found[0][4][0])
    parsed = ipaddress.ip_address(address)
    if parsed.is_unspecified or parsed.is_multicast:
        raise StartRefused(
            f"--host {host} cannot be announced to a phone:"
            " give one address of this machine"
        )
    if address == LOOPBACK:
        raise StartRefused(f"--host {host} is loopback, which is served without --host")
    return address


def in_url(host: str) -> str:
    """Return `host` as it stands in a URL: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def _family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _why_not(address: str, port: int, error: Exception) -> str:
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return f"port {port} on {address} is taken; choose another with --port"
        case errno.EADDRNOTAVAIL:
            return f"{address} is not an address of this machine"
        case errno.EACCES:
            return f"port {port} on {address} needs privileges that this user lacks"
        case _:
            return f"cannot listen on {address} port {port}: {error}"

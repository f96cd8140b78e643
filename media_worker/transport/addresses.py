"""
Socket addresses as the kernel writes them.

An `Address` is a raw `sockaddr_in` or `sockaddr_in6`: one hashable value from
recvmmsg to sendmmsg, so that no packet pays for text.
"""

import ipaddress
import socket
import struct
from typing import Final, NewType

Address = NewType("Address", bytes)

SOCKADDR_BYTES: Final = {socket.AF_INET: 16, socket.AF_INET6: 28}
_MAPPED_PREFIX: Final = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96, RFC 4291 2.5.5.2


def address(host: str, port: int) -> Address:
    """
    Return the raw form of a numeric address.

    Raises:
        ValueError: `host` is no IP address.
    """
    ip = ipaddress.ip_address(host)
    if ip.version == 4:
        family = struct.pack("=H", socket.AF_INET)
        return Address(family + struct.pack("!H", port) + ip.packed + bytes(8))
    family = struct.pack("=H", socket.AF_INET6)
    return Address(family + struct.pack("!HI", port, 0) + ip.packed + bytes(4))


def ip_and_port(raw: Address) -> tuple[bytes, int]:
    """Return 4 or 16 bytes of IP, IPv4-mapped ones as IPv4, and the port."""
    (port,) = struct.unpack_from("!H", raw, 2)
    if len(raw) == SOCKADDR_BYTES[socket.AF_INET]:
        return raw[4:8], port
    ip = raw[8:24]
    return (ip[12:] if ip.startswith(_MAPPED_PREFIX) else ip), port

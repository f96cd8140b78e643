"""Ports that are free, taken, or promised."""

import socket

import pytest

from infra.local import ports
from infra.local.refusals import StartRefused


def test_a_taken_port_is_named() -> None:
    """
    The refusal says which port, and what to do.
    """
    with ports.listen("127.0.0.1", 0) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(StartRefused, match=f"port {port} .* is taken.*--port"):
            ports.listen("127.0.0.1", port)


def test_free_ports_are_free_and_differ() -> None:
    """
    Ports that are promised already are not promised again.
    """
    taken: set[int] = set()
    for _ in range(20):
        taken.add(ports.free_port(taken=taken, datagram=True))

    assert len(taken) == 20
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", taken.pop()))

"""A network between a client and the server that loses and delays datagrams."""

import asyncio
import random
from dataclasses import dataclass
from typing import Any, Final, Self

LOOPBACK: Final = "127.0.0.1"
Address = tuple[str, int]


@dataclass(slots=True)
class Weather:
    """What the network does to each datagram just now, in either direction."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0

    @property
    def is_calm(self) -> bool:
        """Whether everything comes through at once."""
        return not (self.loss or self.delay_s or self.jitter_s)

    def change(self, loss: float, delay_s: float, jitter_s: float) -> None:
        """Be like that from now on."""
        self.loss, self.delay_s, self.jitter_s = loss, delay_s, jitter_s


class RoughPath:
    """
    A UDP proxy of one client; `address` stands for `target`.

    Lifecycle: `open` once, then `close`; datagrams under way are lost then.
    """

    _inner: asyncio.DatagramTransport
    _outer: asyncio.DatagramTransport

    def __init__(self, weather: Weather, chance: random.Random) -> None:
        self.address: Address = (LOOPBACK, 0)
        self._weather = weather
        self._chance = chance
        self._client: Address | None = None

    @classmethod
    async def open(
        cls, target: Address, weather: Weather, chance: random.Random
    ) -> Self:
        """Return a proxy that is ready."""
        path = cls(weather, chance)
        loop = asyncio.get_running_loop()
        path._inner, _ = await loop.create_datagram_endpoint(
            lambda: _Side(path._from_client), local_addr=(LOOPBACK, 0)
        )
        path._outer, _ = await loop.create_datagram_endpoint(
            lambda: _Side(path._from_server), remote_addr=target
        )
        path.address = path._inner.get_extra_info("sockname")[:2]
        return path

    def close(self) -> None:
        """Close both sockets."""
        self._inner.close()
        self._outer.close()

    def _from_client(self, data: bytes, source: Address) -> None:
        self._client = source
        self._pass(self._outer, data, None)

    def _from_server(self, data: bytes, _source: Address) -> None:
        if self._client is not None:
            self._pass(self._inner, data, self._client)

    def _pass(
        self, way: asyncio.DatagramTransport, data: bytes, to: Address | None
    ) -> None:
        weather = self._weather
        if weather.is_calm:
            way.sendto(data, to)
        elif self._chance.random() >= weather.loss:
            late_s = weather.delay_s + self._chance.uniform(0, weather.jitter_s)
            asyncio.get_running_loop().call_later(late_s, _send, way, data, to)


def _send(way: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
    if not way.is_closing():
        way.sendto(data, to)


class _Side(asyncio.DatagramProtocol):
    def __init__(self, received: Any) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._received(data, addr)

    def error_received(self, exc: Exception) -> None:
        """Take an ICMP answer of a worker that was killed."""

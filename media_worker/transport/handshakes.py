"""Handshakes, one step a turn of the event loop: a crowd at the door waits, not us."""

import asyncio
from collections import deque
from typing import Final, Protocol

from .counters import EndpointCounters

MAX_WAITING: Final = 4_096  # datagrams; clients send again what is dropped


class Shaking(Protocol):
    """Somebody whose DTLS association is being opened."""

    def dtls_received(self, datagram: bytes) -> None:
        """Take a datagram; costs up to a millisecond."""

    def dtls_timed_out(self) -> None:
        """Send again what was not answered."""

    @property
    def dtls_timeout_s(self) -> float | None:
        """How long to wait for an answer."""


class Handshakes:
    """
    A queue of handshake datagrams between the port and the sessions.

    One is served in each turn of the loop, so that a tick that is due waits for one
    step at most, however many people come at once.  It also keeps the clock of what
    has to be sent again.

    Lifecycle: works from the first `take` until `close`.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, counters: EndpointCounters
    ) -> None:
        self._loop = loop
        self._counters = counters
        self._waiting: deque[tuple[Shaking, bytes]] = deque()
        self._timers: dict[Shaking, asyncio.TimerHandle] = {}
        self._next: asyncio.Handle | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, peer: Shaking, datagram: bytes) -> None:
        """Queue a datagram; the newest is dropped where the queue is full."""
        if len(self._waiting) >= MAX_WAITING:
            self._counters.handshakes_dropped += 1
            return
        self._waiting.append((peer, datagram))
        if self._next is None:
            self._next = self._loop.call_soon(self._serve)

    def forget(self, peer: Shaking) -> None:
        """Stop the clock of somebody who left; harmless where there is none."""
        timer = self._timers.pop(peer, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """Serve nobody any more; harmless when done before."""
        self._waiting.clear()
        for peer in list(self._timers):
            self.forget(peer)
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _serve(self) -> None:
        self._next = None
        peer, datagram = self._waiting.popleft()
        if self._waiting:
            self._next = self._loop.call_soon(self._serve)
        peer.dtls_received(datagram)
        self._watch(peer)

    def _watch(self, peer: Shaking) -> None:
        self.forget(peer)
        timeout_s = peer.dtls_timeout_s
        if timeout_s is not None:
            self._timers[peer] = self._loop.call_later(timeout_s, self._timed_out, peer)

    def _timed_out(self, peer: Shaking) -> None:
        peer.dtls_timed_out()
        self._watch(peer)

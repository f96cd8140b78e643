"""Calls whose client sends one message: a task serves each."""

import asyncio
from collections.abc import Awaitable, Callable

import grpc

from .call import Call
from .connection import Route

Serve = Callable[[bytes, Call], Awaitable[None]]


class OneRequest:
    """
    Waits for the message, then runs a task, which the end of the call cancels.

    Args:
        serve: Sends what there is to answer; the call is finished when it returns.
            It ends the call itself where it fails, and never raises.
    """

    def __init__(self, name: str, serve: Serve, call: Call) -> None:
        self._name = name
        self._serve = serve
        self._call = call
        self._message: bytes | None = None
        self._task: asyncio.Task[None] | None = None

    def message(self, data: bytes) -> None:
        """Take the message; a second one ends the call."""
        if self._message is not None:
            self._call.finish(grpc.StatusCode.INTERNAL, "Too many requests.")
        self._message = data

    def half_closed(self) -> None:
        """Begin to serve."""
        if self._message is None:
            self._call.finish(grpc.StatusCode.INTERNAL, "There was no request.")
            return
        self._task = asyncio.create_task(self._run(self._message), name=self._name)

    def writable(self) -> None:
        """Do nothing: the task waits by itself where it has much to send."""

    def closed(self) -> None:
        """Stop serving what nobody waits for any more."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _run(self, message: bytes) -> None:
        await self._serve(message, self._call)
        self._call.finish()


def one_request(name: str, serve: Serve) -> Route:
    """Return the route of a method whose client sends one message."""
    return lambda call: OneRequest(name, serve, call)

"""When streams send: changes that come close together are sent together."""

import asyncio
from typing import Final, Protocol

# Changes this close together share one snapshot and one system call.  The more
# streams have something to send, the longer: sending then costs more than the changes.
PER_STREAM_S: Final = 0.000_1
MAX_GATHER_S: Final = 0.050


class Flushable(Protocol):
    """What has something to send."""

    def flush(self) -> None:
        """Send it."""
        ...


class Gathering:
    """
    Flushes at once what wakes after a pause, and otherwise after a short wait.

    Used from one event loop only.
    """

    def __init__(self) -> None:
        self._awake: dict[Flushable, None] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._not_before_s = 0.0  # by the event loop's clock

    def wake(self, stream: Flushable) -> None:
        """Flush a stream soon."""
        self._awake[stream] = None
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due_s = max(self._not_before_s, loop.time())
            self._timer = loop.call_at(due_s, self._flush)

    def forget(self, stream: Flushable) -> None:
        """Do not flush a stream any more."""
        self._awake.pop(stream, None)

    def _flush(self) -> None:
        awake, self._awake = self._awake, {}
        self._timer = None
        for stream in awake:
            stream.flush()
        pause_s = min(MAX_GATHER_S, PER_STREAM_S * len(awake))
        self._not_before_s = asyncio.get_running_loop().time() + pause_s

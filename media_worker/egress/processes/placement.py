"""Where listeners go, and how many processes they need: rules without effects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# What was measured for a core that does nothing else.
LISTENERS_PER_PROCESS: Final = 2_500
_AHEAD: Final = 0.9  # full to this degree, the next process is started


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    How listeners are spread.

    Args:
        room: Listeners that the room's own process serves before any other does.
        egress: Listeners of an egress process before another one is started.
        processes: Egress processes that there may be: cores, and UDP ports.
    """

    room: int
    egress: int = LISTENERS_PER_PROCESS
    processes: int


@dataclass(frozen=True, slots=True)
class Load:
    """
    An egress process as placement sees it.

    Args:
        ready: Whether it takes sessions.
        sessions: Open ones, and those being opened.
    """

    ready: bool
    sessions: int


def place(room: int, egresses: Sequence[Load], limits: Limits) -> int | None:
    """
    Return the index of the process for a new listener; None: the room's own.

    A join never waits for a process to start.

    Args:
        room: Sessions in the room's own process.
    """
    if room < limits.room:
        return None
    ready = [index for index, load in enumerate(egresses) if load.ready]
    return min(ready, key=lambda index: egresses[index].sessions, default=None)


def processes_wanted(listeners: int, limits: Limits) -> int:
    """Return how many egress processes should run for an audience of that size."""
    wanted = 0
    while wanted < limits.processes and listeners >= _AHEAD * (
        limits.room + wanted * limits.egress
    ):
        wanted += 1
    return wanted

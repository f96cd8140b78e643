"""How a worker came about, as spans: from its launch to the first packet of sound."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from spaces_contract.trace_context import (
    VARIABLE,
    TraceContext,
    begun,
    current,
    parse,
)
from spaces_tracing import spans
from spaces_tracing.spans import Facts

STAT: Final = Path("/proc/self/stat")
_START_TIME: Final = 19  # proc(5): starttime, counted from behind the command's name


def launch_trace(env: Mapping[str, str]) -> TraceContext:
    """Return the trace that launched us, or the start of one."""
    return parse(env.get(VARIABLE)) or begun()


def join_trace(env: Mapping[str, str]) -> None:
    """Be part of `launch_trace` until the process ends."""
    current.set(launch_trace(env))


class StartTrace:
    """
    Spans of one worker's start, part of its launch.

    Lifecycle: `loaded`, then `ready`; `reached` at any time, the first of each counts.

    Args:
        began_ns: When it was launched, ns since 1970: as a process, or as the one that
            was waiting warm.
        facts: What it runs.
    """

    def __init__(self, began_ns: int, facts: Facts) -> None:
        self._launch = current.get()
        self._since_ns = began_ns
        self._boot = spans.begin(
            "worker boot", parent=self._launch, facts=facts, at_ns=began_ns
        )
        self._seen: set[str] = set()

    def loaded(self) -> None:
        """Note that the program is in memory and configured."""
        self._part("load worker")

    def ready(self) -> None:
        """Note that the epoch is ours, and sessions can be opened."""
        self._part("claim epoch")
        self._boot.end(at_ns=self._since_ns)

    def reached(
        self, step: str, since_ns: int, at_ns: int, context: TraceContext
    ) -> None:
        """Note a step of a session, which has a trace of its own."""
        if step in self._seen:
            return
        self._seen.add(step)
        spans.begin(step, parent=self._launch, at_ns=since_ns, links=(context,)).end(
            at_ns=at_ns
        )

    def _part(self, name: str) -> None:
        since_ns, self._since_ns = self._since_ns, time.time_ns()
        part = spans.begin(name, parent=self._boot.context, at_ns=since_ns)
        part.end(at_ns=self._since_ns)


def process_began_ns() -> int:
    """Return when this process began, ns since 1970; to 10 ms, as Linux counts."""
    now_ns = time.time_ns()
    if not STAT.exists():  # as on macOS
        return now_ns
    fields = STAT.read_text().rpartition(")")[2].split()
    ticks = int(fields[_START_TIME])
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return now_ns - int(age_s * 1e9)

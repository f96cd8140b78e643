"""The launcher's workloads: one media worker process for each live Space."""

import asyncio
import datetime as dt
import logging
import os
import re
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from . import ports
from .processes import ChildProcess, ProcessSpec, describe_exit, rotate
from .recordings import LocalRecordings
from .stack import Stack

logger = logging.getLogger(__name__)

ROOM: Final = "room"
RELAY: Final = "relay"  # key and epoch: a Space's; index: which of its relays
# What is done with a recording -> what the number in `epoch` is to it; key: the
# recording; index: the attempt.
OF_RECORDINGS: Final = MappingProxyType({"render": "--version", "clip": "--clip"})
KINDS: Final = (ROOM, RELAY, *OF_RECORDINGS)
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_KEPT_ENDED: Final = 200  # ended workloads that are still listed
_KEPT_LOGS: Final = 50
_WORKER_GRACE_S: Final = 15.0  # a worker drains within that, or is killed


class WorkloadRefused(ValueError):
    """A launch request is malformed; the text says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadKey:
    """The four values by which a launch is idempotent."""

    kind: str
    key: str
    epoch: int
    index: int

    @classmethod
    def parse(cls, body: object) -> "WorkloadKey":
        """
        Read a request's JSON.

        Raises:
            WorkloadRefused: a field is missing, unknown, or of the wrong type.
        """
        if not isinstance(body, dict) or body.keys() != {
            "kind",
            "key",
            "epoch",
            "index",
        }:
            raise WorkloadRefused("expected an object of kind, key, epoch and index")
        if body["kind"] not in KINDS:
            raise WorkloadRefused(f"this launcher runs {', '.join(KINDS)} only")
        if not isinstance(body["key"], str) or not _KEY.fullmatch(body["key"]):
            raise WorkloadRefused("key must be an id")
        for name, least in (("epoch", 1), ("index", 0)):
            if type(body[name]) is not int or body[name] < least:
                raise WorkloadRefused(f"{name} must be an integer of at least {least}")
        return cls(**body)

    @property
    def ref(self) -> str:
        """The workload's name, the same for the same four."""
        return f"{self.kind}-{self.key}-{self.epoch}-{self.index}"


@dataclass(slots=True, kw_only=True)
class Workload:
    """A worker that was launched, and how it is."""

    key: WorkloadKey
    udp_ports: tuple[int, ...]
    process: ChildProcess
    started_at: dt.datetime
    ended_at: dt.datetime | None = None
    watch: asyncio.Task[None] | None = field(default=None, repr=False)

    def to_json(self) -> dict[str, Any]:
        """Return what GET /workloads lists."""
        ended = self.ended_at
        return {
            "ref": self.key.ref,
            **asdict(self.key),
            "pid": self.process.pid,
            "udp_ports": self.udp_ports,
            "state": "running" if ended is None else "ended",
            "exit_code": None if ended is None else self.process.exit_code,
            "started_at": self.started_at.isoformat(),
            "ended_at": None if ended is None else ended.isoformat(),
        }


class Workloads:
    """
    Launches and ends workers; never restarts one, that is the watchdog's decision.

    Lifecycle: `aclose()` ends all of them and is legal any number of times; after it
    nothing is launched any more.

    Args:
        inherited: The environment that workers start from.
        grant_public_key: PEM, given to each worker.
        recordings: What workers and renders are told of recordings.
    """

    def __init__(
        self,
        stack: Stack,
        *,
        inherited: dict[str, str],
        grant_public_key: str,
        recordings: LocalRecordings,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._stack = stack
        self._inherited = inherited
        self._grant_public_key = grant_public_key
        self._recordings = recordings
        self._now = now
        self._known: dict[str, Workload] = {}
        self._launching = asyncio.Lock()
        self._closed = False

    def list(self) -> list[Workload]:
        """Return workloads, running and lately ended, oldest first."""
        return list(self._known.values())

    async def launch(
        self, key: WorkloadKey, *, traceparent: str | None = None
    ) -> tuple[Workload, bool]:
        """
        Start the worker of `key`, unless that was done before, and say whether it was.

        A worker that was launched and has ended is not launched again: its epoch is
        over, and the watchdog asks for the next one.

        Args:
            traceparent: Of the call that launches it, as W3C has it.

        Raises:
            StartRefused: no UDP port is free.
            WorkloadRefused: the launcher is stopping.
        """
        async with self._launching:
            if self._closed:
                raise WorkloadRefused("the launcher is stopping")
            known = self._known.get(key.ref)
            if known is not None:
                return known, False
            workload = await self._start(key, traceparent)
            self._known[key.ref] = workload
            self._forget_old()
            return workload, True

    async def terminate(self, ref: str) -> None:
        """End the worker, gracefully first; unknown and ended ones are ignored."""
        workload = self._known.get(ref)
        if workload is not None:
            await workload.process.stop()

    async def aclose(self) -> None:
        """End all workers at the same time, and return when they are gone."""
        self._closed = True
        async with self._launching:  # a launch under way is waited for, then ended
            workloads = self.list()
        await asyncio.gather(*(w.process.stop() for w in workloads))
        await asyncio.gather(*(w.watch for w in workloads if w.watch is not None))

    async def _start(self, key: WorkloadKey, traceparent: str | None) -> Workload:
        serves = key.kind in (ROOM, RELAY)
        udp_ports = self._udp_ports() if serves else ()
        arguments, special = self._call(key, udp_ports)
        if traceparent is not None:
            special = special | {"TRACEPARENT": traceparent}
        spec = ProcessSpec(
            name=key.ref,
            arguments=arguments,
            environment=self._stack.base_environment(self._inherited) | special,
            grace_s=_WORKER_GRACE_S,
            # SIGTERM is for operators: on that a room waits to be relieved.
            stop_signal=signal.SIGINT if serves else signal.SIGTERM,
        )
        _drop_old_logs(self._stack.folder.logs)
        process = ChildProcess(spec, self._stack.folder.logs / f"{key.ref}.log")
        await process.start()
        workload = Workload(
            key=key, udp_ports=udp_ports, process=process, started_at=self._now()
        )
        workload.watch = asyncio.create_task(
            self._watch(workload), name=f"watch-{key.ref}"
        )
        return workload

    def _udp_ports(self) -> tuple[int, ...]:
        """Return ports for a room and for an egress process on each core."""
        running = (w for w in self._known.values() if w.ended_at is None)
        taken = {port for workload in running for port in workload.udp_ports}
        found: list[int] = []
        for _ in range(1 + (os.cpu_count() or 1)):
            port = ports.free_port(
                address=self._stack.media_address,
                datagram=True,
                taken=taken.union(found),
            )
            found.append(port)
        return tuple(found)

    def _call(
        self, key: WorkloadKey, udp_ports: tuple[int, ...]
    ) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the arguments and the environment of a workload's own."""
        if key.kind in OF_RECORDINGS:
            about = ("--recording", key.key, OF_RECORDINGS[key.kind], str(key.epoch))
            return (
                ("-m", "media_worker.recording", key.kind, *about),
                self._recordings.render_environment(),
            )
        room = self._stack.worker_environment(
            space_id=key.key,
            epoch=key.epoch,
            grant_public_key=self._grant_public_key,
            udp_ports=udp_ports,
        )
        if key.kind == RELAY:  # it hears nobody whom it could record
            special = {"PARLEY_WORKLOAD": RELAY, "PARLEY_RELAY_INDEX": str(key.index)}
        else:
            special = self._recordings.worker_environment()
        return ("-m", "media_worker"), room | special

    async def _watch(self, workload: Workload) -> None:
        exit_code = await workload.process.wait()
        workload.ended_at = self._now()
        if exit_code != 0 and not self._closed:
            logger.warning(
                "worker %s ended (%s), see %s",
                workload.key.ref,
                describe_exit(exit_code),
                workload.process.log,
            )

    def _forget_old(self) -> None:
        ended = [ref for ref, w in self._known.items() if w.ended_at is not None]
        for ref in ended[:-_KEPT_ENDED]:
            del self._known[ref]

    def kill(self) -> None:
        """End all workers at once, without grace."""
        for workload in self._known.values():
            if workload.ended_at is None:
                workload.process.kill()

    def rotate_logs(self) -> None:
        """Keep the logs of running workers within bounds."""
        for workload in self._known.values():
            if workload.ended_at is None:
                rotate(workload.process.log)


def _drop_old_logs(folder: Path) -> None:
    found = (folder.glob(f"{kind}-*.log*") for kind in KINDS)
    logs = sorted(chain(*found), key=os.path.getmtime)
    for log in logs[:-_KEPT_LOGS]:
        log.unlink(missing_ok=True)

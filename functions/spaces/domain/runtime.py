"""The worker of a Space as functions see it, and when it counts as lost."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.relays import RelayReport
from spaces_contract.runtime import HEARTBEAT_STALE_S, LAUNCH_LIMIT_S, WorkerState

MAX_DOUBLINGS: Final = 3  # of the wait for workers that never come: up to 2 min


@dataclass(frozen=True, slots=True, kw_only=True)
class Successor:
    """
    A worker that was asked for while another one serves.

    Args:
        epoch: Its own, once it has claimed.
    """

    epoch: int
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """
    The runtime document.

    Args:
        control_url: Where the worker answers; None until it claimed its epoch.
        in_vain: How many launches in a row before it nobody claimed.
        connected_ids: Who on stage is connected, as of its last heartbeat.
        listener_count: Who listens, by HLS too, as of then.
        hls_listener_count: Those of them who hear HLS.
        capacity: How many may listen by WebRTC at once; None: it has not told.
        relays: Its relays by their numbers; the three above count theirs, too.
        leaving: It was asked to leave, and serves until a successor has claimed.
        successor: Who may take over from it; None: nobody was asked for.
    """

    epoch: int
    state: WorkerState
    control_url: str | None = None
    launched_at: datetime | None = None
    in_vain: int = 0
    heartbeat_at: datetime | None = None
    connected_ids: tuple[UserId, ...] = ()
    listener_count: int = 0
    hls_listener_count: int = 0
    capacity: int | None = None
    relays: Mapping[int, RelayReport] = field(default_factory=dict)
    leaving: bool = False
    successor: Successor | None = None


def is_lost(runtime: Runtime | None, *, epoch: int, now: datetime) -> bool:
    """Whether nobody can be expected to serve `epoch` any more."""
    if runtime is None or runtime.epoch != epoch:
        return True
    if runtime.state is WorkerState.STOPPED:
        return True
    signs = (runtime.launched_at, runtime.heartbeat_at)
    last_sign = max((at for at in signs if at is not None), default=None)
    if last_sign is None:
        return True
    limit_s = HEARTBEAT_STALE_S
    if runtime.state is WorkerState.LAUNCHING:
        limit_s = max(LAUNCH_LIMIT_S, _coming_s(runtime))
    return (now - last_sign).total_seconds() > limit_s


def is_slow(runtime: Runtime | None, *, now: datetime) -> bool:
    """Whether a worker that is to come might have claimed by now, or another one."""
    if runtime is None or runtime.state is not WorkerState.LAUNCHING:
        return False
    since = runtime.launched_at
    return since is None or (now - since).total_seconds() > _coming_s(runtime)


def launched_in_vain(runtime: Runtime | None, *, epoch: int) -> int:
    """Return how many launches in a row came to nothing with that of a lost worker."""
    if runtime is None or runtime.epoch != epoch:
        return 0
    claimed = runtime.state is not WorkerState.LAUNCHING
    return 0 if claimed else runtime.in_vain + 1


def _coming_s(runtime: Runtime) -> float:
    """Return for how long no other worker is launched, even where this one died."""
    # What every worker dies of, as a broken image, is not mended by many of them.
    return HEARTBEAT_STALE_S * (1 << min(runtime.in_vain, MAX_DOUBLINGS))


def reports_presence(runtime: Runtime, *, epoch: int, now: datetime) -> bool:
    """Whether the worker of `epoch` said lately who is connected."""
    if runtime.epoch != epoch or runtime.state is not WorkerState.READY:
        return False
    heartbeat_at = runtime.heartbeat_at
    if heartbeat_at is None:
        return False
    return (now - heartbeat_at).total_seconds() <= HEARTBEAT_STALE_S


def wants_successor(runtime: Runtime | None, *, epoch: int, now: datetime) -> bool:
    """Whether the worker of `epoch` waits to be relieved, and nobody is on the way."""
    if runtime is None or runtime.epoch != epoch or not runtime.leaving:
        return False
    if runtime.state is not WorkerState.READY:
        return False
    return runtime.successor is None or not is_awaited(runtime.successor, now=now)


def is_awaited(successor: Successor, *, now: datetime) -> bool:
    """Whether it may still come."""
    return (now - successor.asked_at).total_seconds() <= LAUNCH_LIMIT_S


def has_room(runtime: Runtime | None) -> bool:
    """Whether one more may try to listen by WebRTC; a worker that is to come has."""
    if runtime is None or runtime.capacity is None:
        return True
    return runtime.listener_count - runtime.hls_listener_count < runtime.capacity

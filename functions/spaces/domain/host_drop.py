"""What follows when a host loses their connection: driven by the worker's reports."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId

from .host_presence import TRANSITIONS, HostEvent, HostPresence, HostState
from .runtime import Runtime, reports_presence
from .space import Decision, EndReason, Space, ended
from .states import SpaceState

PATIENCE_S: Final = 60.0  # a tunnel, a change of network, a crash of the app
AWAY_LIMIT_S: Final = 300.0
_WITH_COVER: Final = (HostState.COVERED, HostState.COVER_MISSING)


def look(space: Space, runtime: Runtime | None, *, now: datetime) -> Decision:
    """
    Take one step, as the worker's last report and the time since demand.

    Where there is no report of this epoch nobody knows who is there, and nothing
    changes.  A look that comes late takes the same steps as one that was on time,
    only later: time is counted from what is stored.
    """
    if space.state is not SpaceState.LIVE:
        return Decision(space)
    if runtime is None or not reports_presence(runtime, epoch=space.epoch, now=now):
        return Decision(space)
    before = space.host_presence
    cover = _cover(space, runtime)
    event = _event(space, runtime, cover, now)
    state = TRANSITIONS.get((before.state, event), before.state)
    if state is HostState.GIVEN_UP:
        return Decision(ended(space, EndReason.HOST_LEFT, now=now))
    acting = _acting(before, event, state, cover)
    if (state, acting) == (before.state, before.acting_host_id):
        return Decision(space)
    after = HostPresence(state=state, since=now, acting_host_id=acting)
    return Decision(replace(space, host_presence=after, updated_at=now))


def _event(
    space: Space, runtime: Runtime, cover: UserId | None, now: datetime
) -> HostEvent:
    presence, there = space.host_presence, runtime.connected_ids
    acting = presence.acting_host_id
    if space.creator_id in there:
        return HostEvent.HOST_SEEN
    if acting is not None and acting in there and acting in space.host_ids:
        return HostEvent.COVER_SEEN
    waited_s = (now - presence.since).total_seconds() if presence.since else 0.0
    match presence.state:
        case HostState.MISSING | HostState.COVER_MISSING if waited_s > PATIENCE_S:
            return HostEvent.COVER_FOUND if cover else HostEvent.NO_COVER
        case HostState.AWAY if cover:
            return HostEvent.COVER_FOUND
        case HostState.AWAY if waited_s >= AWAY_LIMIT_S:
            return HostEvent.TIME_UP
        case _:
            return HostEvent.NOBODY_SEEN


def _cover(space: Space, runtime: Runtime) -> UserId | None:
    """Return the longest-serving co-host who is connected; `host_ids` is in order."""
    there = (uid for uid in space.host_ids[1:] if uid in runtime.connected_ids)
    return next(there, None)


def _acting(
    before: HostPresence, event: HostEvent, state: HostState, cover: UserId | None
) -> UserId | None:
    if state not in _WITH_COVER:
        return None
    return cover if event is HostEvent.COVER_FOUND else before.acting_host_id

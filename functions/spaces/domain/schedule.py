"""A Space's appointed time: its bounds, the steps towards it, and what moves it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import UserId

from .effects import AnnounceSchedule, ScheduleStep, StepName
from .errors import HostOnly, IllegalTransition, NotScheduled, ScheduleOutOfRange
from .space import Decision, EndReason, Space, next_state
from .states import SpaceEvent, SpaceState

MIN_AHEAD: Final = timedelta(minutes=5)
MAX_AHEAD: Final = timedelta(days=365)
MAX_AT_ONCE: Final = 10
REMIND_BEFORE: Final = timedelta(minutes=30)
NO_SHOW_AFTER: Final = timedelta(minutes=30)
# Cloud Tasks refuses what is more than 30 days ahead; a day is for clocks and queues.
HOP: Final = timedelta(days=29)
REMIND: Final = StepName("remind")
DUE: Final = StepName("due")
EXPIRE: Final = StepName("expire")


def check_start(at: datetime, *, now: datetime) -> datetime:
    """
    Return `at` where a Space may be scheduled for it.

    Raises:
        ScheduleOutOfRange: it is less than 5 minutes or more than 365 days ahead.
    """
    if not MIN_AHEAD <= at - now <= MAX_AHEAD:
        raise ScheduleOutOfRange
    return at


def steps(space: Space) -> tuple[ScheduleStep, ...]:
    """
    Return all steps towards a Space's time and past it, the first one first.

    They follow from what is stored, not from when somebody asks: whoever asks for
    one names the same task.
    """
    start = space.scheduled_start
    if start is None:
        return ()
    remind_at = start - REMIND_BEFORE
    hops = range(MAX_AHEAD // HOP, 0, -1)
    times = [
        *((StepName(f"hop{n}"), remind_at - n * HOP) for n in hops),
        (REMIND, remind_at),
        (DUE, start),
        (EXPIRE, start + NO_SHOW_AFTER),
    ]
    return tuple(
        ScheduleStep(space.id, space.schedule_version, name, at) for name, at in times
    )


def next_step(space: Space, *, after: datetime) -> ScheduleStep | None:
    """Return the first step later than `after`, if the schedule has one."""
    return next((step for step in steps(space) if step.at > after), None)


def step_named(space: Space, name: str, *, version: int) -> ScheduleStep | None:
    """Return the step that a task is about; None where that schedule is no more."""
    if space.state is not SpaceState.SCHEDULED or space.schedule_version != version:
        return None
    return next((step for step in steps(space) if step.step == name), None)


def move(
    space: Space, scheduled_start: datetime, *, actor_id: UserId, now: datetime
) -> Decision:
    """
    Appoint another time.  The same time again changes nothing.

    Raises:
        HostOnly: `actor_id` is not the host.
        IllegalTransition: the Space has started, or is over.
        NotScheduled: it never had a time.
        ScheduleOutOfRange: see `check_start`.
    """
    if actor_id != space.creator_id:
        raise HostOnly("Only the host can move a Space.")
    if space.state is not SpaceState.SCHEDULED:
        detail = f"Cannot move a Space that is {space.state.value}."
        raise IllegalTransition(detail, space.state)
    if space.scheduled_start is None:
        raise NotScheduled
    if space.scheduled_start == scheduled_start:
        return Decision(space)
    moved = replace(
        space,
        scheduled_start=check_start(scheduled_start, now=now),
        schedule_version=space.schedule_version + 1,
        updated_at=now,
    )
    return _announced(moved)


def cancel(space: Space, *, actor_id: UserId, now: datetime) -> Decision:
    """
    Call off a Space that has not started.  Cancelling twice changes nothing.

    Raises:
        HostOnly: `actor_id` is not the host.
        IllegalTransition: the Space is live or over.
    """
    if actor_id != space.creator_id:
        raise HostOnly("Only the host can cancel a Space.")
    if space.state is SpaceState.CANCELLED:
        return Decision(space)
    return _cancelled(space, EndReason.HOST_CANCELLED, now)


def cancel_no_show(space: Space, *, version: int, now: datetime) -> Decision:
    """Call off a Space which nobody started within 30 min; else change nothing."""
    expire = step_named(space, EXPIRE, version=version)
    if expire is None or now < expire.at:
        return Decision(space)
    return _cancelled(space, EndReason.HOST_NO_SHOW, now)


def _cancelled(space: Space, reason: EndReason, now: datetime) -> Decision:
    cancelled = replace(
        space,
        state=next_state(space.state, SpaceEvent.CANCEL),
        schedule_version=space.schedule_version + 1,
        end_reason=reason,
        updated_at=now,
    )
    if space.scheduled_start is None:  # nobody was promised anything
        return Decision(replace(cancelled, schedule_version=space.schedule_version))
    return _announced(cancelled)


def _announced(space: Space) -> Decision:
    told = AnnounceSchedule(space.id, space.schedule_version)
    return Decision(space, effects=(told,))

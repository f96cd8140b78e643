"""What becomes of somebody whom the operator shuts out, and of their Spaces."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from . import schedule
from . import space as spaces
from .space import Decision, EndReason, Space
from .states import SpaceState

MAX_SUSPENDED: Final = 5_000  # all of them are read at once: they fit in one document


def closed(space: Space, *, now: datetime) -> Decision:
    """End a live Space, call off one that has not started; else change nothing."""
    match space.state:
        case SpaceState.LIVE:
            return Decision(spaces.ended(space, EndReason.OPERATOR_ENDED, now=now))
        case SpaceState.SCHEDULED:
            called_off = schedule.cancel(space, actor_id=space.creator_id, now=now)
            after = replace(called_off.space, end_reason=EndReason.OPERATOR_ENDED)
            return replace(called_off, space=after)
        case _:
            return Decision(space)

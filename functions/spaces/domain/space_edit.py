"""What hosts change about a Space: its words, who may speak, and its time."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId

from . import schedule
from .errors import IllegalTransition, ModeratorOnly
from .space import Decision, Space, SpeakerPolicy
from .states import SpaceState

EDITABLE: Final = frozenset({SpaceState.SCHEDULED, SpaceState.LIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceEdit:
    """
    A change to a Space; None leaves a field as it is, an empty text removes it.

    Bounds are checked already.
    """

    title: str | None = None
    topics: tuple[str, ...] | None = None
    lang: str | None = None
    speaker_policy: SpeakerPolicy | None = None
    scheduled_start: datetime | None = None


def edit(
    space: Space, change: SpaceEdit, *, actor_id: UserId, now: datetime
) -> Decision:
    """
    Change a Space before it starts or while it is live.

    A new speaker policy counts for whoever comes from then on: nobody on stage
    loses their seat by it.

    Raises:
        ModeratorOnly: `actor_id` is neither host nor co-host.
        IllegalTransition: the Space is over.
        HostOnly, NotScheduled, ScheduleOutOfRange: see `schedule.move`.
    """
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts can change a Space.")
    if space.state not in EDITABLE:
        detail = f"Cannot change a Space that is {space.state.value}."
        raise IllegalTransition(detail, space.state)
    moved = Decision(space)
    if change.scheduled_start is not None:
        moved = schedule.move(space, change.scheduled_start, actor_id=actor_id, now=now)
    edited = replace(
        moved.space,
        title=_text(change.title, space.title),
        topics=space.topics if change.topics is None else change.topics,
        lang=_text(change.lang, space.lang),
        speaker_policy=change.speaker_policy or space.speaker_policy,
    )
    after = space if edited == space else replace(edited, updated_at=now)
    return Decision(after, effects=moved.effects)


def _text(wanted: str | None, stored: str | None) -> str | None:
    return stored if wanted is None else wanted or None

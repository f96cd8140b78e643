"""What hosts change about a Space: its words, who may speak, and whether it happens."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from spaces_contract.ids import UserId

from .errors import HostOnly, IllegalTransition, ModeratorOnly
from .space import Decision, Space, SpeakerPolicy, next_state
from .states import SpaceEvent, SpaceState

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
    """
    if actor_id not in space.host_ids:
        raise ModeratorOnly("Only the host and co-hosts can change a Space.")
    if space.state not in EDITABLE:
        detail = f"Cannot change a Space that is {space.state.value}."
        raise IllegalTransition(detail, space.state)
    edited = replace(
        space,
        title=_text(change.title, space.title),
        topics=space.topics if change.topics is None else change.topics,
        lang=_text(change.lang, space.lang),
        speaker_policy=change.speaker_policy or space.speaker_policy,
    )
    return Decision(space if edited == space else replace(edited, updated_at=now))


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
    state = next_state(space.state, SpaceEvent.CANCEL)
    return Decision(replace(space, state=state, updated_at=now))


def _text(wanted: str | None, stored: str | None) -> str | None:
    return stored if wanted is None else wanted or None

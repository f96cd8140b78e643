"""A Space, and the rules of opening, starting and ending one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import RecordingState
from spaces_contract.runtime import WorkerState

from .effects import Effect, LaunchWorker
from .errors import HostOnly, IllegalTransition, ProtectedAccount, TooManyLive
from .host_presence import HOST_PRESENT, HostPresence, HostState
from .profile import Profile
from .runtime import (
    Runtime,
    Successor,
    is_awaited,
    is_lost,
    is_slow,
    launched_in_vain,
    wants_successor,
)
from .states import TRANSITIONS, SpaceEvent, SpaceState

MAX_LIVE: Final = 10  # of one host at once, each with a worker of its own
MAX_TITLE_CHARS: Final = 70
MAX_TOPICS: Final = 3
MAX_TOPIC_CHARS: Final = 30


class SpeakerPolicy(StrEnum):
    """Who may go on stage without asking."""

    EVERYONE = "everyone"
    FOLLOWING = "following"  # whom the host follows
    INVITED = "invited"


class EndReason(StrEnum):
    """Why a Space is over."""

    HOST_ENDED = "host_ended"
    HOST_LEFT = "host_left"  # and nobody led it for five minutes
    HOST_CANCELLED = "host_cancelled"
    HOST_NO_SHOW = "host_no_show"  # not started within 30 min of its time
    OPERATOR_ENDED = "operator_ended"
    TOO_MANY_LIVE = "too_many_live"  # its host had `MAX_LIVE` older ones


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceDraft:
    """What a host says of a Space before it exists; bounds are checked already."""

    title: str | None = None
    topics: tuple[str, ...] = ()
    lang: str | None = None
    speaker_policy: SpeakerPolicy = SpeakerPolicy.INVITED
    scheduled_start: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """
    A Space as stored.

    Args:
        host_ids: The host first, then co-hosts.
        speaker_ids: Speakers beside those.
        schedule_version: Grows with every change of its time; 0 has none.
        host_presence: Whether the host is there, while the Space is live.
        epoch: 0 until started; grows by one with every worker that is asked for.
        participant_count: Connected people, as the worker last reported.
        recording_state: For everybody to see; `recording` keeps the two the same.
        recording_notice: Version of the notice of what is recorded, or was.
        revision: Opaque name of the stored version; empty before it is stored.
    """

    id: SpaceId
    state: SpaceState
    title: str | None
    topics: tuple[str, ...]
    lang: str | None
    speaker_policy: SpeakerPolicy
    creator_id: UserId
    host_handle: str
    host_display_name: str
    host_ids: tuple[UserId, ...]
    created_at: datetime
    updated_at: datetime
    speaker_ids: tuple[UserId, ...] = ()
    invited_user_ids: tuple[UserId, ...] = ()
    scheduled_start: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    participant_count: int = 0
    subscriber_count: int = 0
    epoch: int = 0
    schedule_version: int = 0
    host_presence: HostPresence = HOST_PRESENT
    recording_state: RecordingState = RecordingState.OFF
    recording_notice: str | None = None
    revision: str = ""

    @property
    def stage_ids(self) -> tuple[UserId, ...]:
        """Everybody who has a seat on stage, the host first."""
        return (*self.host_ids, *self.speaker_ids)

    @property
    def host_away(self) -> bool:
        """Whether nobody leads it at the moment."""
        return self.host_presence.state is HostState.AWAY

    def is_led_by(self, user_id: UserId) -> bool:
        """Whether they do what only a host does: the host, or who acts for them."""
        acting = self.host_presence.acting_host_id
        return user_id == self.creator_id or (
            user_id == acting and user_id in self.host_ids
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What a rule decided: the Space to store, and what follows from it.

    Args:
        runtime: The worker's document to lay down anew; None leaves it alone.
        successor: To be noted in the document of the worker that serves.
        effects: To be stored with the Space and carried out after the commit.
    """

    space: Space
    runtime: Runtime | None = None
    successor: Successor | None = None
    effects: tuple[Effect, ...] = ()


def create(
    draft: SpaceDraft, *, space_id: SpaceId, host: Profile, now: datetime
) -> Space:
    """
    Return a new Space of `host`, not started yet.

    Raises:
        ProtectedAccount: the host's account is protected.
    """
    if host.protected:
        raise ProtectedAccount
    return Space(
        id=space_id,
        state=SpaceState.SCHEDULED,
        title=draft.title,
        topics=draft.topics,
        lang=draft.lang,
        speaker_policy=draft.speaker_policy,
        creator_id=host.user_id,
        host_handle=host.handle,
        host_display_name=host.display_name,
        host_ids=(host.user_id,),
        created_at=now,
        updated_at=now,
        scheduled_start=draft.scheduled_start,
        schedule_version=0 if draft.scheduled_start is None else 1,
    )


def next_state(state: SpaceState, event: SpaceEvent) -> SpaceState:
    """
    Return what `event` makes of a Space in `state`.

    Raises:
        IllegalTransition: the pair is not in the table.
    """
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        detail = f"Cannot {event.value} a Space that is {state.value}."
        raise IllegalTransition(detail, state) from None


def start(space: Space, *, actor_id: UserId, now: datetime) -> Decision:
    """
    Go live and ask for a worker.  Starting a live Space changes nothing.

    Raises:
        HostOnly: `actor_id` is not the host.
        IllegalTransition: the Space is over.
    """
    if actor_id != space.creator_id:
        raise HostOnly("Only the host can start a Space.")
    if space.state is SpaceState.LIVE:
        return Decision(space)
    live = replace(
        space, state=next_state(space.state, SpaceEvent.START), started_at=now
    )
    return _with_new_worker(live, now)


def awaits_its_time(space: Space) -> bool:
    """Whether people may count on its start: it is announced, and has not begun."""
    return space.state is SpaceState.SCHEDULED and space.scheduled_start is not None


def must_have_room(live: int) -> None:
    """Raise TooManyLive where a host with so many live Spaces starts no other."""
    if live >= MAX_LIVE:
        raise TooManyLive(MAX_LIVE)


def end(space: Space, *, actor_id: UserId, now: datetime) -> Decision:
    """
    End a live Space.  Ending it twice changes nothing.

    The worker sees the new state by itself; the watchdog clears up behind it.

    Raises:
        HostOnly: `actor_id` is not the host, nor acts as host.
        IllegalTransition: the Space was never live.
    """
    if not space.is_led_by(actor_id):
        raise HostOnly("Only the host can end a Space.")
    if space.state is SpaceState.ENDED:
        return Decision(space)
    return Decision(ended(space, EndReason.HOST_ENDED, now=now))


def crowd_out(space: Space, *, older: int, now: datetime) -> Decision:
    """
    End a live Space whose host has `MAX_LIVE` others that went live before it.

    Asked again it decides the same, whichever Space it is asked of: the oldest stay.

    Args:
        older: How many those are; beyond `MAX_LIVE` nobody needs to count.
    """
    if space.state is not SpaceState.LIVE or older < MAX_LIVE:
        return Decision(space)
    return Decision(ended(space, EndReason.TOO_MANY_LIVE, now=now))


def ended(space: Space, reason: EndReason, *, now: datetime) -> Space:
    """
    Return `space` over; raises IllegalTransition where it is not live.

    Who acted as host is kept: they may say again that it is over.
    """
    return replace(
        space,
        state=next_state(space.state, SpaceEvent.END),
        host_presence=replace(space.host_presence, state=HostState.PRESENT),
        end_reason=reason,
        ended_at=now,
        updated_at=now,
        participant_count=0,
    )


def relaunch(
    space: Space,
    runtime: Runtime | None,
    *,
    epoch: int,
    now: datetime,
    gone: bool = False,
) -> Decision:
    """
    Ask for a new worker where the one of `epoch` is lost; else change nothing.

    Stale calls (another epoch by now, or the Space is over) do no harm.

    Args:
        gone: The launcher had it no more; it may have claimed all the same by now.
    """
    if space.state is not SpaceState.LIVE or space.epoch != epoch:
        return Decision(space)
    never_came = gone and is_slow(runtime, now=now)
    if not never_came and not is_lost(runtime, epoch=epoch, now=now):
        return Decision(space)
    return _with_new_worker(
        space,
        now,
        asked=runtime.successor if runtime else None,
        in_vain=launched_in_vain(runtime, epoch=epoch),
    )


def relieve(
    space: Space, runtime: Runtime | None, *, epoch: int, now: datetime
) -> Decision:
    """
    Ask for a successor where the worker of `epoch` is about to leave; else change
    nothing.

    The Space's epoch stays: the successor's claim raises it, at the moment in which
    there is somebody to take over, and where nobody comes nothing has happened.
    """
    if space.state is not SpaceState.LIVE or space.epoch != epoch:
        return Decision(space)
    if runtime is None or not wants_successor(runtime, epoch=epoch, now=now):
        return Decision(space)
    asked = Successor(epoch=_next_epoch(space, runtime.successor), asked_at=now)
    return Decision(
        space, successor=asked, effects=(LaunchWorker(space.id, asked.epoch),)
    )


def others_on_stage(space: Space, *, but: UserId) -> Sequence[UserId]:
    """Return those on stage except `but`: whom a joiner may wish to avoid."""
    return [uid for uid in space.stage_ids if uid != but]


def _next_epoch(space: Space, asked: Successor | None) -> int:
    """Return one that nobody was given, not even a successor that never came."""
    return 1 + max(space.epoch, 0 if asked is None else asked.epoch)


def _with_new_worker(
    space: Space, now: datetime, *, asked: Successor | None = None, in_vain: int = 0
) -> Decision:
    """
    Raise the epoch, and lay down the document of its worker.

    Args:
        asked: A successor that was asked for; where it may still come, its epoch is it.
        in_vain: See `Runtime`.
    """
    if asked is None or not is_awaited(asked, now=now):
        asked = Successor(epoch=_next_epoch(space, asked), asked_at=now)
    raised = replace(space, epoch=asked.epoch, updated_at=now)
    return Decision(
        raised,
        runtime=Runtime(
            epoch=raised.epoch,
            state=WorkerState.LAUNCHING,
            launched_at=asked.asked_at,
            in_vain=in_vain,
        ),
        effects=(LaunchWorker(raised.id, raised.epoch),),
    )

"""What must be true of a Space's documents whatever people do, and in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from spaces.domain.erasure import ERASED
from spaces.domain.participant import Participant
from spaces.domain.space import Space
from spaces.domain.states import RequestState, SpaceState
from spaces_contract.roles import MAX_CO_HOSTS, MAX_ON_STAGE, MAX_SPEAKERS, Role

FOLLOWS: Final = {
    SpaceState.SCHEDULED: {SpaceState.LIVE, SpaceState.CANCELLED},
    SpaceState.LIVE: {SpaceState.ENDED},
    SpaceState.ENDED: set(),
    SpaceState.CANCELLED: set(),
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One Space as all its documents have it."""

    space: Space
    people: Sequence[Participant]


def broken(snapshot: Snapshot, before: Space | None) -> list[str]:
    """Return what is not as it must be; nothing, if all is well."""
    return [
        *_stage(snapshot.space),
        *_people(snapshot),
        *_times(snapshot.space, before),
    ]


def _stage(space: Space) -> list[str]:
    seats = space.stage_ids
    checks = {
        "more than 13 on stage": len(seats) > MAX_ON_STAGE,
        "too many co-hosts": len(space.host_ids) > 1 + MAX_CO_HOSTS,
        "too many speakers": len(space.speaker_ids) > MAX_SPEAKERS,
        "somebody has two seats": len(set(seats)) != len(seats),
        "not one host": space.host_ids[:1] != (space.creator_id,),
        "who is on stage is invited there": bool(
            set(space.invited_user_ids) & set(space.speaker_ids)
        ),
    }
    return [what for what, wrong in checks.items() if wrong]


def _people(snapshot: Snapshot) -> list[str]:
    space, wrong = snapshot.space, []
    by_id = {each.user_id: each for each in snapshot.people}
    hosts = [each.user_id for each in snapshot.people if each.role is Role.HOST]
    if hosts != [space.creator_id]:
        wrong.append(f"hosts by their documents: {hosts}")
    for member in snapshot.people:
        wrong += [f"{member.user_id} {what}" for what in _member(member, space)]
    for uid in space.speaker_ids if space.state is SpaceState.LIVE else ():
        found = by_id.get(uid)
        if found is None or not found.on_stage or found.role is not Role.SPEAKER:
            wrong.append(f"{uid} has a seat and is not on stage")
    return wrong


def _member(member: Participant, space: Space) -> list[str]:
    seats = {
        Role.HOST: space.host_ids[:1],
        Role.CO_HOST: space.host_ids[1:],
        Role.SPEAKER: space.speaker_ids,
        Role.LISTENER: (),
    }[member.role]
    seated = member.user_id in seats or member.role is Role.LISTENER
    asks = member.speak_request is RequestState.PENDING
    gone = member.removed or member.left_at is not None
    listed = member.user_id in (*space.stage_ids, *space.invited_user_ids)
    checks = {
        "is on stage by no seat": member.on_stage and not seated,
        "is on stage as a listener": member.on_stage and member.role is Role.LISTENER,
        "is on stage and not there": member.on_stage and gone,
        "asks and is on stage": asks and member.on_stage,
        "asks and is not there": asks and gone,
        "is removed and has a place": member.removed and listed,
        "is removed and anonymous": member.removed
        and member.anonymous_id is None
        and member.user_id != ERASED,
    }
    return [what for what, is_wrong in checks.items() if is_wrong]


def _times(space: Space, before: Space | None) -> list[str]:
    over = space.state is SpaceState.ENDED
    checks = {
        "ended without a time, or a time without an end": over
        is (space.ended_at is None),
        "live and never started": space.state is SpaceState.LIVE
        and (space.started_at is None or space.epoch < 1),
    }
    if before is not None:
        moved = space.state is not before.state
        checks |= {
            f"{before.state} became {space.state}": moved
            and space.state not in FOLLOWS[before.state],
            "the epoch shrank": space.epoch < before.epoch,
            "the schedule's version shrank": space.schedule_version
            < before.schedule_version,
        }
    return [what for what, wrong in checks.items() if wrong]

"""Documents and what they mean: the only module that knows their field names."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import RecordingState
from spaces_contract.relays import RelayReport
from spaces_contract.roles import Role
from spaces_contract.runtime import (
    ParticipantField,
    RuntimeField,
    SpaceField,
    SuccessorField,
    WorkerState,
)

from ...domain.host_presence import HostPresence, HostState
from ...domain.participant import Participant
from ...domain.profile import Profile
from ...domain.public_numbers import number_of
from ...domain.runtime import Runtime, Successor
from ...domain.search import terms_of
from ...domain.space import EndReason, Space, SpeakerPolicy
from ...domain.states import RequestState, SpaceState

Document = dict[str, Any]
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def revision_of(update_time: datetime) -> str:
    """Return the name of a stored version; update times differ by microseconds."""
    return f"{(update_time - EPOCH) // timedelta(microseconds=1):x}"


def instant(value: datetime | None) -> datetime | None:
    """Return a stored time as a plain datetime: the library's own has nanoseconds."""
    if value is None:
        return None
    return EPOCH + (value - EPOCH)


def space_to_doc(space: Space) -> Document:
    """Return the fields of `spaces/{id}`."""
    return {
        "state": space.state.value,
        "title": space.title,
        "topics": list(space.topics),
        "lang": space.lang,
        "speaker_policy": space.speaker_policy.value,
        "creator_id": space.creator_id,
        "host": {
            "handle": space.host_handle,
            "display_name": space.host_display_name,
        },
        "host_ids": list(space.host_ids),
        "speaker_ids": list(space.speaker_ids),
        "invited_user_ids": list(space.invited_user_ids),
        "scheduled_start": space.scheduled_start,
        "started_at": space.started_at,
        "ended_at": space.ended_at,
        "end_reason": space.end_reason.value if space.end_reason else None,
        "created_at": space.created_at,
        "updated_at": space.updated_at,
        "participant_count": space.participant_count,
        "subscriber_count": space.subscriber_count,
        "epoch": space.epoch,
        "schedule_version": space.schedule_version,
        "host_presence": _presence_to_doc(space.host_presence),
        "recording_state": space.recording_state.value,
        "recording_notice": space.recording_notice,
        # For the worker, which reads plain values only.
        SpaceField.HOST_AWAY.value: space.host_presence.state is HostState.AWAY,
        SpaceField.ACTING_HOST_ID.value: space.host_presence.acting_host_id,
        # What follows from the above, kept only to be asked for in queries.
        "stage_ids": list(space.stage_ids),
        "search_terms": list(terms_of(space.title, space.topics)),
        "creator_number": number_of(space.creator_id),
    }


def space_from_doc(space_id: str, doc: Mapping[str, Any], revision: str) -> Space:
    """Return the Space that `spaces/{id}` holds."""
    created_at = doc["created_at"]
    return Space(
        id=SpaceId(space_id),
        state=SpaceState(doc["state"]),
        title=doc["title"],
        topics=tuple(doc["topics"]),
        lang=doc["lang"],
        speaker_policy=SpeakerPolicy(doc["speaker_policy"]),
        creator_id=UserId(doc["creator_id"]),
        host_handle=doc["host"]["handle"],
        host_display_name=doc["host"]["display_name"],
        host_ids=tuple(doc["host_ids"]),
        speaker_ids=tuple(doc["speaker_ids"]),
        invited_user_ids=tuple(doc["invited_user_ids"]),
        scheduled_start=instant(doc["scheduled_start"]),
        started_at=instant(doc["started_at"]),
        ended_at=instant(doc["ended_at"]),
        end_reason=_end_reason(doc["end_reason"]),
        created_at=required_instant(created_at),
        updated_at=required_instant(doc["updated_at"]),
        participant_count=doc["participant_count"],
        subscriber_count=doc["subscriber_count"],
        epoch=doc["epoch"],
        schedule_version=doc.get("schedule_version", 0),
        host_presence=_presence_from_doc(doc.get("host_presence")),
        recording_state=RecordingState(doc.get("recording_state", "off")),
        recording_notice=doc.get("recording_notice"),
        revision=revision,
    )


def _end_reason(value: str | None) -> EndReason | None:
    # One of a later release, read by one that was rolled back, has none here: else
    # it would be in the way of every list that the Space is in.
    return next((each for each in EndReason if each.value == value), None)


def _presence_to_doc(presence: HostPresence) -> Document:
    return {
        "state": presence.state.value,
        "since": presence.since,
        "acting_host_id": presence.acting_host_id,
    }


def _presence_from_doc(doc: Mapping[str, Any] | None) -> HostPresence:
    if doc is None:  # a Space of before hosts were missed
        return HostPresence()
    acting = doc["acting_host_id"]
    return HostPresence(
        state=HostState(doc["state"]),
        since=instant(doc["since"]),
        acting_host_id=UserId(acting) if acting else None,
    )


def participant_to_doc(member: Participant) -> Document:
    """Return the fields of `spaces/{id}/participants/{uid}`."""
    return {
        ParticipantField.UID.value: member.user_id,
        ParticipantField.HANDLE.value: member.handle,
        ParticipantField.DISPLAY_NAME.value: member.display_name,
        ParticipantField.ROLE.value: member.role.value,
        ParticipantField.ON_STAGE.value: member.on_stage,
        ParticipantField.MUTED.value: member.muted,
        ParticipantField.REMOVED.value: member.removed,
        ParticipantField.ANONYMOUS_ID.value: member.anonymous_id,
        "removed_by_host": member.removed_by_host,
        "joined_at": member.joined_at,
        "left_at": member.left_at,
        "speak_request": member.speak_request.value if member.speak_request else None,
        "requested_at": member.requested_at,
        "updated_at": member.updated_at,
    }


def participant_from_doc(doc: Mapping[str, Any], revision: str) -> Participant:
    """Return the person that `spaces/{id}/participants/{uid}` holds."""
    return Participant(
        user_id=UserId(doc[ParticipantField.UID]),
        handle=doc[ParticipantField.HANDLE],
        display_name=doc[ParticipantField.DISPLAY_NAME],
        role=Role(doc[ParticipantField.ROLE]),
        on_stage=doc[ParticipantField.ON_STAGE],
        muted=doc[ParticipantField.MUTED],
        removed=doc[ParticipantField.REMOVED],
        # Not in documents of releases where every co-host let everybody back.
        removed_by_host=doc.get("removed_by_host", False),
        joined_at=required_instant(doc["joined_at"]),
        left_at=instant(doc["left_at"]),
        speak_request=_request_state(doc.get("speak_request")),
        requested_at=instant(doc.get("requested_at")),
        anonymous_id=doc.get(ParticipantField.ANONYMOUS_ID),
        updated_at=required_instant(doc["updated_at"]),
        revision=revision,
    )


def profile_to_doc(profile: Profile) -> Document:
    """Return the fields of `users/{uid}`."""
    return {
        "handle": profile.handle,
        "display_name": profile.display_name,
        "protected": profile.protected,
        "created_at": profile.created_at,
        "updated_at": profile.updated_at,
    }


def profile_from_doc(user_id: str, doc: Mapping[str, Any], revision: str) -> Profile:
    """Return the account that `users/{uid}` holds."""
    return Profile(
        user_id=UserId(user_id),
        handle=doc["handle"],
        display_name=doc["display_name"],
        protected=doc["protected"],
        created_at=required_instant(doc["created_at"]),
        updated_at=required_instant(doc["updated_at"]),
        revision=revision,
    )


def runtime_to_doc(runtime: Runtime) -> Document:
    """Return the fields of a runtime document that is laid down anew."""
    return {
        RuntimeField.EPOCH.value: runtime.epoch,
        RuntimeField.STATE.value: runtime.state.value,
        RuntimeField.LAUNCHED_AT.value: runtime.launched_at,
        RuntimeField.IN_VAIN.value: runtime.in_vain,
    }


def runtime_from_doc(doc: Mapping[str, Any]) -> Runtime:
    """Return what the worker, or whoever asked for one, has written."""
    return Runtime(
        epoch=doc[RuntimeField.EPOCH],
        state=WorkerState(doc[RuntimeField.STATE]),
        control_url=doc.get(RuntimeField.CONTROL_URL),
        launched_at=instant(doc.get(RuntimeField.LAUNCHED_AT)),
        in_vain=doc.get(RuntimeField.IN_VAIN, 0),
        heartbeat_at=instant(doc.get(RuntimeField.HEARTBEAT_AT)),
        connected_ids=tuple(
            UserId(uid) for uid in doc.get(RuntimeField.CONNECTED_IDS, ())
        ),
        listener_count=doc.get(RuntimeField.LISTENER_COUNT, 0),
        hls_listener_count=doc.get(RuntimeField.HLS_LISTENER_COUNT, 0),
        capacity=doc.get(RuntimeField.CAPACITY),
        relays={
            int(index): RelayReport.from_fields(report)
            for index, report in doc.get(RuntimeField.RELAYS, {}).items()
        },
        leaving=doc.get(RuntimeField.LEAVING, False),
        successor=_successor_from_doc(doc.get(RuntimeField.SUCCESSOR)),
    )


def successor_to_doc(successor: Successor) -> Document:
    """Return the field by which a serving worker's document names its successor."""
    return {
        RuntimeField.SUCCESSOR.value: {
            SuccessorField.EPOCH.value: successor.epoch,
            SuccessorField.ASKED_AT.value: successor.asked_at,
        }
    }


def _successor_from_doc(doc: Mapping[str, Any] | None) -> Successor | None:
    if doc is None:
        return None
    return Successor(
        epoch=doc[SuccessorField.EPOCH],
        asked_at=required_instant(doc[SuccessorField.ASKED_AT]),
    )


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Document:
    """
    Return the fields of `after` that differ from `before`.

    Only these are written, so that a count which the worker reports meanwhile stays.
    """
    return {name: value for name, value in after.items() if before[name] != value}


def _request_state(value: str | None) -> RequestState | None:
    return None if value is None else RequestState(value)


def required_instant(value: Any) -> datetime:
    """Return a stored time that is always there; raises ValueError where it is not."""
    found = instant(value)
    if found is None:
        raise ValueError("a stored document lacks a time that it must have")
    return found

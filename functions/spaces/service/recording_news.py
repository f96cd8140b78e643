"""Who is told what of recordings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.recording import RecordingState

from ..domain.announcement import Announcement, AnnouncementKind
from ..domain.effects import TellWebhooks
from ..domain.personal import of_recording
from ..domain.recording import Recording
from ..domain.space import Space
from .announcing import AnnouncingService
from .ports import Clock, EffectQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRecordingNews:
    """
    `RecordingNews`: the stage is asked by push; hosts are told by push, and operators'
    servers by webhook, what became of it.

    Args:
        wants_event: Whether any server wants events of this type.
    """

    announcing: AnnouncingService
    effects: EffectQueue
    now: Clock
    wants_event: Callable[[str], bool]

    def asked(self, space: Space, recording: Recording) -> None:
        """Tell each person on stage once; see `RecordingNews`."""
        for user_id in space.stage_ids:
            self.announcing.announce(of_recording(space.id, user_id))

    def changed(self, space: Space, recording: Recording) -> None:
        """Tell the host; see `RecordingNews`."""
        told = _TOLD.get(recording.state)
        if told is None:
            return
        kind, event = told
        self._tell(space, kind, recording.version, space.creator_id)
        if self.wants_event(event):
            version, now = recording.version, self.now()
            self.effects.put(TellWebhooks(space.id, event, version, now))

    def _tell(
        self, space: Space, kind: AnnouncementKind, version: int, user_id: UserId
    ) -> None:
        self.announcing.announce(Announcement(space.id, kind, version, user_id))


# What became of a recording -> how its host and how operators' servers are told.
_TOLD: Final = {
    RecordingState.READY: (AnnouncementKind.RECORDING_READY, "recording.ready"),
    RecordingState.FINISHING: (
        AnnouncementKind.RECORDING_SUPERSEDED,
        "recording.superseded",
    ),
    RecordingState.ERASED: (AnnouncementKind.RECORDING_ERASED, "recording.erased"),
    RecordingState.FAILED: (AnnouncementKind.RECORDING_FAILED, "recording.failed"),
}

"""Who is told what of recordings."""

from dataclasses import dataclass
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.recording import RecordingState

from ..domain.announcement import Announcement, AnnouncementKind
from ..domain.recording import Recording
from ..domain.space import Space
from .announcing import AnnouncingService


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedRecordingNews:
    """`RecordingNews` by push: the stage is asked, hosts are told what became of it."""

    announcing: AnnouncingService

    def asked(self, space: Space, recording: Recording) -> None:
        """Tell each person on stage once; see `RecordingNews`."""
        version = int(recording.requested_at.timestamp() * 1_000_000)
        for user_id in space.stage_ids:
            self._tell(space, AnnouncementKind.RECORDING_ASKED, version, user_id)

    def changed(self, space: Space, recording: Recording) -> None:
        """Tell the host; see `RecordingNews`."""
        kind = _KINDS.get(recording.state)
        if kind is not None:
            self._tell(space, kind, recording.version, space.creator_id)

    def _tell(
        self, space: Space, kind: AnnouncementKind, version: int, user_id: UserId
    ) -> None:
        self.announcing.announce(Announcement(space.id, kind, version, user_id))


_KINDS: Final = {
    RecordingState.READY: AnnouncementKind.RECORDING_READY,
    RecordingState.FINISHING: AnnouncementKind.RECORDING_SUPERSEDED,
    RecordingState.ERASED: AnnouncementKind.RECORDING_ERASED,
    RecordingState.FAILED: AnnouncementKind.RECORDING_FAILED,
}

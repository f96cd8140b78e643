"""Makes the versions of a room's public state."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from zlib import crc32

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import Role
from spaces_contract.room_state import RoomState, StageMember
from spaces_contract.timestamps import rfc3339

from .ports import Broadcast, DesiredMember, DesiredState, PacketTap
from .session_book import SessionBook

STAGE_ORDER = {role: index for index, role in enumerate(Role)}


class Board:
    """
    Keeps the newest `RoomState`, and who is which CSRC.

    Args:
        recorder: Whose state everybody sees.
        broadcast: Whose key everybody sees.
        spread: Returns the listeners of each process.
        utc_now: Aware UTC time, for `updated_at`.
    """

    def __init__(
        self,
        space_id: SpaceId,
        epoch: int,
        *,
        recorder: PacketTap,
        broadcast: Broadcast,
        spread: Callable[[], tuple[int, ...]],
        utc_now: Callable[[], datetime],
    ) -> None:
        self._recorder = recorder
        self._broadcast = broadcast
        self._spread = spread
        self._utc_now = utc_now
        self._csrcs: dict[UserId, int] = {}
        self._salt = f"{space_id}/{epoch}/"
        self.room = RoomState(
            space_id=space_id,
            epoch=epoch,
            version=0,
            state="live",
            title="",
            stage=(),
            talking=(),
            listener_count=0,
            participant_count=0,
            recording_state=recorder.state.value,
            updated_at=rfc3339(utc_now()),
        )

    def csrc(self, user_id: UserId) -> int:
        """Return the CSRC of `user_id`: never 0, never shared, the same all epoch."""
        if user_id not in self._csrcs:
            taken = set(self._csrcs.values()) | {0}
            csrc = crc32((self._salt + user_id).encode())
            while csrc in taken:
                csrc = (csrc + 1) & 0xFFFF_FFFF
            self._csrcs[user_id] = csrc
        return self._csrcs[user_id]

    def update(
        self,
        desired: DesiredState,
        book: SessionBook,
        talking: tuple[UserId, ...],
        reactions: Mapping[str, int],
    ) -> None:
        """Bring the state up to date; a change makes a new version."""
        back = _host_is_back(desired, book)
        room = replace(
            self.room,
            state="live" if desired.live else "ended",
            title=desired.title,
            stage=self._stage(desired, book),
            talking=tuple(u for u in talking if u in desired.stage),
            listener_count=book.listener_count(desired),
            participant_count=book.participant_count(),
            recording_state=self._recorder.state.value,
            recording_notice_version=self._recorder.notice_version,
            host_away=desired.host_away and not back,
            acting_host_id=None if back else desired.acting_host_id,
            reactions=reactions,
            listeners_by_process=self._spread(),
            hls_key=self._broadcast.key,
        )
        if room != self.room:
            now = rfc3339(self._utc_now())
            self.room = replace(room, version=room.version + 1, updated_at=now)

    def _stage(
        self, desired: DesiredState, book: SessionBook
    ) -> tuple[StageMember, ...]:
        members = sorted(
            desired.stage.values(), key=lambda m: (STAGE_ORDER[m.role], m.user_id)
        )
        return tuple(self._member(member, book) for member in members)

    def _member(self, member: DesiredMember, book: SessionBook) -> StageMember:
        return StageMember(
            uid=member.user_id,
            handle=member.handle,
            display_name=member.display_name,
            role=member.role.value,
            muted=member.muted,
            connected=book.is_sending(member.user_id),
            csrc=self.csrc(member.user_id),
        )


def _host_is_back(desired: DesiredState, book: SessionBook) -> bool:
    """Whether the host is connected already, before functions have looked again."""
    return any(
        member.role is Role.HOST and book.is_present(member.user_id)
        for member in desired.stage.values()
    )

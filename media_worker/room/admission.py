"""Who is let in: what Firestore wants, and how many there is room for."""

from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.ids import UserId
from spaces_contract.relays import is_relay
from spaces_contract.roles import PeerKind

from .desired_cell import DesiredCell
from .ports import SessionRefused
from .room_life import RoomLife
from .rules import refusal
from .session_book import SessionBook

JOIN_RACE_S: Final = 1.0  # a join that just committed may not have reached the watch


class Admission:
    """
    The door of one room.

    Args:
        capacity: Sessions from which on only those on stage are let in, and those
            who replace a session of theirs.
    """

    def __init__(
        self,
        desired: DesiredCell,
        book: SessionBook,
        life: RoomLife,
        *,
        capacity: int,
    ) -> None:
        self._desired = desired
        self._book = book
        self._life = life
        self.capacity = capacity

    async def admit(self, user_id: UserId, kind: PeerKind) -> None:
        """
        Let somebody open a session, or refuse it.

        Raises:
            SessionRefused: with the `ControlError` that says why.
        """
        if refusal(self._desired.value, user_id, kind) is ControlError.NOT_ON_STAGE:
            await self._desired.wait_until(
                lambda desired: user_id in desired.stage, patience_s=JOIN_RACE_S
            )
        self.check(user_id, kind)
        if self._is_full_for(user_id, kind):
            raise SessionRefused(ControlError.WORKER_FULL, "no more listeners here")

    def check(self, user_id: UserId, kind: PeerKind) -> None:
        """
        Refuse whoever may not have a session of that kind just now.

        Raises:
            SessionRefused: with the `ControlError` that says why.
        """
        if not self._life.is_open:
            raise SessionRefused(ControlError.WORKER_STOPPING, "this worker is leaving")
        code = refusal(self._desired.value, user_id, kind)
        if code is not None:
            raise SessionRefused(code, f"{user_id} may not open {kind.value}")

    def _is_full_for(self, user_id: UserId, kind: PeerKind) -> bool:
        if len(self._book) < self.capacity or user_id in self._desired.value.stage:
            return False
        if is_relay(user_id):  # which brings room for many
            return False
        return self._book.latest(user_id, kind) is None

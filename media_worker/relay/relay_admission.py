"""Who is let in at a relay."""

from spaces_contract.control import ControlError
from spaces_contract.ids import UserId
from spaces_contract.roles import PeerKind

from ..room.admission import Admission
from ..room.ports import SessionRefused


class RelayAdmission(Admission):
    """The door of a relay; those on stage are refused, and functions ask the origin."""

    async def admit(self, user_id: UserId, kind: PeerKind) -> None:
        """
        Let a listener open a session, or refuse it; wait for nobody to get on stage.

        Raises:
            SessionRefused: with the `ControlError` that says why.
        """
        self.check(user_id, kind)
        await super().admit(user_id, kind)

    def check(self, user_id: UserId, kind: PeerKind) -> None:
        """
        Refuse whoever may not listen here just now.

        Raises:
            SessionRefused: with the `ControlError` that says why.
        """
        super().check(user_id, kind)
        if kind is PeerKind.WHIP or user_id in self._desired.value.stage:
            raise SessionRefused(
                ControlError.WORKER_STOPPING, "those on stage belong to the origin"
            )

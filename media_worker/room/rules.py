"""Pure rules: who may hold a session, and which sessions must end."""

from collections.abc import Iterable

from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind

from .ports import DesiredState
from .session_book import Session


def refusal(
    desired: DesiredState, user_id: UserId, kind: PeerKind
) -> ControlError | None:
    """Return why `user_id` may not hold a session of `kind`; None where they may."""
    if user_id in desired.removed:
        return ControlError.REMOVED
    if kind is PeerKind.WHIP and user_id not in desired.stage:
        return ControlError.NOT_ON_STAGE
    return None


def sessions_to_close(
    desired: DesiredState, sessions: Iterable[Session]
) -> list[tuple[SessionId, PeerCloseReason]]:
    """Return the sessions which `desired` does not allow, each with the reason."""
    return [
        (session.session_id, reason)
        for session in sessions
        if (reason := _close_reason(desired, session)) is not None
    ]


def _close_reason(desired: DesiredState, session: Session) -> PeerCloseReason | None:
    if not desired.live:
        return PeerCloseReason.SPACE_ENDED
    match refusal(desired, session.user_id, session.kind):
        case ControlError.REMOVED:
            return PeerCloseReason.REMOVED
        case ControlError.NOT_ON_STAGE:
            return PeerCloseReason.DEMOTED
        case _:
            return None

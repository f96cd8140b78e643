"""Sends messages on the stage's data channels, and what did not get through again."""

from collections.abc import Iterable

from spaces_contract.ids import SessionId
from spaces_contract.roles import Role

from .ports import DesiredState, MediaEndpoint
from .session_book import Session, SessionBook
from .stage_messages import you_message


class StageMessenger:
    """Talks to the sessions of `book` whose channel is open."""

    def __init__(self, endpoint: MediaEndpoint, book: SessionBook) -> None:
        self._endpoint = endpoint
        self._book = book
        self._owed: set[SessionId] = set()

    @property
    def owes(self) -> bool:
        """Whether somebody has yet to hear what they are: call `tell_owed` soon."""
        return bool(self._owed)

    def tell_all(self, text: str) -> None:
        """Send to everybody; who misses a version of the room gets the next one."""
        for session in self._channels():
            self._endpoint.send_stage_message(session.session_id, text)

    def tell_changed(self, before: DesiredState, after: DesiredState) -> None:
        """Tell those whose role, mute or removal changed."""
        for session in self._channels():
            user_id = session.user_id
            same = before.stage.get(user_id) == after.stage.get(user_id)
            if not same or user_id in after.removed - before.removed:
                self.tell_you(session, after)

    def tell_you(self, session: Session, desired: DesiredState) -> None:
        """Tell somebody what they are; where their channel is full, it is owed."""
        member = desired.stage.get(session.user_id)
        text = you_message(
            role=Role.LISTENER if member is None else member.role,
            muted=member is not None and member.muted,
            removed=session.user_id in desired.removed,
        )
        if self._endpoint.send_stage_message(session.session_id, text):
            self._owed.discard(session.session_id)
        else:
            self._owed.add(session.session_id)

    def tell_owed(self, desired: DesiredState) -> None:
        """Tell those who missed it what they are now."""
        for session_id in list(self._owed):
            session = self._book.get(session_id)
            if session is None or session.closing:
                self._owed.discard(session_id)
            else:
                self.tell_you(session, desired)

    def _channels(self) -> Iterable[Session]:
        return (session for session in self._book if session.channel_open)

"""Remembers whose session gave way to another of the same person's."""

from collections import OrderedDict, deque
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerKind

from .ports import SessionRefused
from .session_book import Session, SessionBook

MAX_PEOPLE: Final = 1_000
MAX_EACH: Final = 4  # nobody listens on many devices at a time


class ReplacedSessions:
    """
    The sessions that were replaced lately, so that their device can be told why.

    Bounded, and a person pushes out only what is their own before anybody else's;
    what is forgotten is a session like any other that is over.
    """

    def __init__(self) -> None:
        self._by_person: OrderedDict[tuple[UserId, PeerKind], deque[Session]] = (
            OrderedDict()
        )

    def add(self, session: Session, *, by: Session | None) -> None:
        """
        Note that `session` was replaced.

        Args:
            by: Where it has the same grant, a device came back to itself, of which
                there is nothing to tell.
        """
        if by is not None and by.grant_id == session.grant_id:
            return
        key = (session.user_id, session.kind)
        self._by_person.setdefault(key, deque(maxlen=MAX_EACH)).append(session)
        self._by_person.move_to_end(key)
        if len(self._by_person) > MAX_PEOPLE:
            self._by_person.popitem(last=False)

    def has(self, session_id: SessionId, *, user_id: UserId, grant_id: str) -> bool:
        """Whether this session of this user and grant was replaced."""
        return any(
            (session.session_id, session.grant_id) == (session_id, grant_id)
            for kind in PeerKind
            for session in self._by_person.get((user_id, kind), ())
        )

    def check(
        self,
        book: SessionBook,
        session_id: SessionId,
        *,
        user_id: UserId,
        grant_id: str,
    ) -> None:
        """
        Return if `book` has this session of this user and grant.

        Raises:
            SessionRefused: it has not; where it had, and another device has taken its
                place, with `SESSION_REPLACED`.
        """
        if self.has(session_id, user_id=user_id, grant_id=grant_id):
            raise SessionRefused(
                ControlError.SESSION_REPLACED, "another device has taken over"
            )
        session = book.get(session_id)
        if session is None or (session.user_id, session.grant_id) != (
            user_id,
            grant_id,
        ):
            raise SessionRefused(
                ControlError.SESSION_NOT_FOUND, "no such session of this grant"
            )

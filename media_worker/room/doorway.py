"""How sessions of a room begin and end, be it an origin's or a relay's."""

import asyncio
import logging
from collections.abc import Callable

from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind

from .admission import Admission
from .ports import MediaEndpoint, SessionRefused
from .replaced import ReplacedSessions
from .session_book import Session, SessionBook
from .stage_messages import closing_message

logger = logging.getLogger(__name__)


class Doorway:
    """
    Opens and closes a room's sessions, by its endpoint and in its book.

    Args:
        new_id: Of a session.
        closed: The room's `MediaEvents.session_closed`, for ends that its endpoint
            could not tell.

    Attributes:
        tasks: Where sessions are closed; None: the room does not run.
    """

    def __init__(
        self,
        endpoint: MediaEndpoint,
        book: SessionBook,
        admission: Admission,
        *,
        new_id: Callable[[], SessionId],
        closed: Callable[[SessionId, PeerCloseReason], None],
    ) -> None:
        self._endpoint = endpoint
        self._book = book
        self._admission = admission
        self._new_id = new_id
        self._closed = closed
        self._replaced = ReplacedSessions()
        self.tasks: asyncio.TaskGroup | None = None

    async def open(
        self, offer_sdp: str, *, user_id: UserId, kind: PeerKind, grant_id: str
    ) -> tuple[SessionId, str]:
        """
        Open a media session; return its id and the SDP answer.

        Raises:
            SessionRefused: with the `ControlError` that says why.
        """
        await self._admission.admit(user_id, kind)
        session = Session(
            session_id=self._new_id(), user_id=user_id, kind=kind, grant_id=grant_id
        )
        answer = await self._answered(session, offer_sdp)
        logger.info(
            "session opened",
            extra={
                "session_id": session.session_id,
                "user_id": user_id,
                "kind": kind.value,
            },
        )
        try:
            self._admission.check(user_id, kind)
        except SessionRefused:  # decided while the endpoint was working
            await self.close(session.session_id, PeerCloseReason.REMOVED)
            raise
        return session.session_id, answer

    async def leave(
        self, session_id: SessionId, *, user_id: UserId, grant_id: str
    ) -> None:
        """
        Close a session for whoever opened it, with the same grant.

        Raises:
            SessionRefused: there is no such session of this user and grant; where
                there was one, and another device has taken its place, with
                `SESSION_REPLACED`.
        """
        self._replaced.check(self._book, session_id, user_id=user_id, grant_id=grant_id)
        await self.close(session_id, PeerCloseReason.LEFT)

    def forget(self, session_id: SessionId, reason: PeerCloseReason) -> Session | None:
        """Take a session that is over out of the book; return it."""
        session = self._book.remove(session_id)
        if session is not None and reason is PeerCloseReason.REPLACED:
            by = self._book.latest(session.user_id, session.kind)
            self._replaced.add(session, by=by)
        return session

    def close_soon(
        self, session_id: SessionId, reason: PeerCloseReason
    ) -> Session | None:
        """Have a session closed; return it, unless its end was asked for before."""
        session = self._book.get(session_id)
        if session is None or session.closing or self.tasks is None:
            return None
        session.closing = True
        self.tasks.create_task(
            self.close(session_id, reason), name=f"close-{session_id}"
        )
        return session

    async def close(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Close a session, telling whoever is on stage why."""
        session = self._book.get(session_id)
        if session is not None and session.channel_open:
            self._endpoint.send_stage_message(session_id, closing_message(reason))
        try:
            await self._endpoint.close_session(session_id, reason)
        except Exception:  # one session that fails to close must not end the room
            logger.exception("session failed to close")
            self._closed(session_id, reason)

    async def _answered(self, session: Session, offer_sdp: str) -> str:
        # In the book before the endpoint knows it: its end may come while the
        # endpoint is still closing the session that it replaces.
        self._book.add(session)
        try:
            return await self._endpoint.open_session(offer_sdp, session.info)
        except BaseException:
            self._closed(session.session_id, PeerCloseReason.LEFT)
            raise

"""Letting go of everybody: at once, or as fast as another worker takes them in."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container, Iterable
from typing import Final

from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason

from .clock import Clock
from .room_end import CLOSE_REASONS, RoomEnd
from .session_book import Session

CLOSE_ALL_S: Final = 1.0
# A join costs whoever takes in 2.4 to 2.9 ms of a core (ADR 29).
TAKEN_IN_PER_S: Final = 250.0

logger = logging.getLogger(__name__)

Close = Callable[[SessionId, PeerCloseReason], Awaitable[None]]


async def let_go(
    sessions: Iterable[Session],
    close: Close,
    *,
    end: RoomEnd,
    clock: Clock,
    first: Container[UserId] = (),
) -> None:
    """
    Close all sessions, each with the reason that `end` means to its client.

    Args:
        end: Where another worker is there, listeners follow one after the other, and
            are served meanwhile.
        first: Who goes at once in any case: what they say is what all wait for.
    """
    now: list[SessionId] = []
    later: list[SessionId] = []
    for session in sessions:
        soon = end is not RoomEnd.RELIEVED or session.user_id in first
        (now if soon else later).append(session.session_id)
    reason, began_s = CLOSE_REASONS[end], clock.now_s()
    async with asyncio.TaskGroup() as closing:
        for session_id in now:
            closing.create_task(_close(close, session_id, reason))
        for n, session_id in enumerate(later):
            await clock.sleep_until(began_s + n / TAKEN_IN_PER_S)
            closing.create_task(_close(close, session_id, reason))


async def _close(close: Close, session_id: SessionId, reason: PeerCloseReason) -> None:
    try:
        async with asyncio.timeout(CLOSE_ALL_S):
            await close(session_id, reason)
    except TimeoutError:
        logger.warning("session left open", extra={"session_id": session_id})

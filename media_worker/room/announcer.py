"""Tells the stage and the world about new versions of the room, but not too often."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Final

from spaces_contract.room_state import RoomState

from .board import Board
from .clock import Clock
from .ports import RoomPublisher
from .stage_messages import room_message

logger = logging.getLogger(__name__)

STAGE_INTERVAL_S: Final = 0.1  # ten messages a second are more than an eye follows
PUBLISH_INTERVAL_S: Final = 1.0  # object stores take one update a second per object
LAST_ROUND_S: Final = 2.0  # whoever asked us to stop does not wait for ever


class Announcer:
    """
    Sends every version that is current when its turn comes; others are skipped.

    Lifecycle: `run()` once, until cancelled or until `finish()` was called and the
    last version is out, or `LAST_ROUND_S` went by.

    Args:
        refresh: Brings `board` up to date; called before each look at it.
        tell_stage: Sends a text to all open stage channels.
    """

    def __init__(
        self,
        board: Board,
        *,
        refresh: Callable[[], None],
        tell_stage: Callable[[str], None],
        publisher: RoomPublisher,
        clock: Clock,
    ) -> None:
        self._board = board
        self._refresh = refresh
        self._tell_stage = tell_stage
        self._publisher = publisher
        self._clock = clock
        self._changed = asyncio.Event()
        self._unpublished = asyncio.Event()
        self._finishing = asyncio.Event()
        self.published_version = -1

    def note_change(self) -> None:
        """Something may have changed; look at it soon."""
        self._changed.set()

    def finish(self) -> None:
        """Let `run` return once the state as it is now was told."""
        self._finishing.set()
        self._publisher.finish()
        self._changed.set()
        self._unpublished.set()

    async def run(self) -> None:
        """Announce until finished."""
        async with asyncio.TaskGroup() as tasks:
            rounds = (
                tasks.create_task(self._run_stage(), name="announce-stage"),
                tasks.create_task(self._run_publisher(), name="announce-world"),
            )
            limiting = tasks.create_task(self._limit(rounds))
            await asyncio.wait(rounds)
            limiting.cancel()

    async def _limit(self, rounds: Iterable[asyncio.Task[None]]) -> None:
        await self._finishing.wait()
        await self._clock.sleep_until(self._clock.now_s() + LAST_ROUND_S)
        logger.warning("last version not told")
        for task in rounds:
            task.cancel()

    async def _run_stage(self) -> None:
        told_version = -1
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._refresh()
            room = self._board.room
            if room.version != told_version:
                told_version = room.version
                self._tell_stage(room_message(room))
                self._unpublished.set()
            if self._finishing.is_set():
                return
            await self._clock.sleep_until(self._clock.now_s() + STAGE_INTERVAL_S)

    async def _run_publisher(self) -> None:
        while True:
            await self._unpublished.wait()
            finishing = self._finishing.is_set()
            self._unpublished.clear()
            if finishing:
                self._refresh()
            room = self._board.room
            if room.version != self.published_version:
                await self._publish(room)
            if finishing:
                return
            await self._clock.sleep_until(self._clock.now_s() + PUBLISH_INTERVAL_S)

    async def _publish(self, room: RoomState) -> None:
        self.published_version = room.version
        try:
            await self._publisher.publish(room)
        except Exception:  # a store's trouble must not end the sound
            logger.exception("room.json not published")

"""One relay's life: claim its number, hear the origin, leave in good order."""

import asyncio
import logging
from dataclasses import replace
from typing import Any, Final

from spaces_contract import paths
from spaces_contract.runtime import RuntimeField

from ..config import Config
from ..control.app import ControlApi
from ..epoch_life import EpochLife, ExitCode
from ..firestore_link.connection import CallFailed, connect
from ..firestore_link.documents import decode
from ..firestore_link.protocol import Document
from ..metrics import endpoint_metrics, link_metrics, process_metrics, render
from ..room.clock import MonotonicClock
from ..room.room_end import RoomEnd
from ..shared_parts import (
    forward_check,
    new_claim,
    reachable,
    running,
    spread_endpoint,
)
from ..start_trace import StartTrace
from .feed import Feed, FeedGivenUp
from .origin import FeedForbidden, Origin
from .relay_metrics import relay_metrics
from .relay_room import RelayRoom

READ_RETRY_S: Final = 0.5
FAREWELL_S: Final = 0.5

logger = logging.getLogger(__name__)


class RelayWorker:
    """
    Composes one relay.

    Lifecycle: `run()` once; `stop()` lets it drain and return, at any time.

    Args:
        config: Of a worker, with a relay's number.
    """

    def __init__(self, config: Config, index: int, start: StartTrace) -> None:
        self._config = config
        self._index = index
        self._clock = MonotonicClock()
        self._firestore = connect(config.project_id, emulator_host=config.emulator_host)
        self._endpoint = spread_endpoint(config, start)
        self._room = RelayRoom(
            epoch=config.epoch,
            index=index,
            endpoint=self._endpoint,
            capacity=config.session_capacity,
            clock=self._clock,
        )
        self._feed: Feed | None = None
        self._life = EpochLife(self._firestore, self._room, clock=self._clock)

    def leave(self) -> None:
        """The same: the origin, or another relay, takes the listeners in."""
        self.stop()

    def stop(self) -> None:
        """Drain: no new sessions, tell listeners, close; what SIGTERM does."""
        self._life.stop()

    @property
    def claimed(self) -> asyncio.Event:
        """Set once the number is ours."""
        return self._life.claimed

    async def run(self) -> ExitCode:
        """
        Relay until the Space ends, the epoch is lost or `stop` is called.

        Raises:
            CannotStart: an address is taken.
            ExceptionGroup: the room, the feed or the link crashed.
        """
        async with reachable(
            self._config, self._endpoint, self._room, self._firestore
        ) as control:
            control.serve(self._api().app(), on_death=self.stop)
            claim = replace(
                new_claim(self._config, self._endpoint, control.url), relay=self._index
            )
            async with running(self._serve(claim.control_url), "room") as serving:
                code = await self._life.run(claim, serving)
                return ExitCode.CRASHED if control.died else code

    async def _serve(self, control_url: str) -> RoomEnd:
        """Run the room, fed as soon as the number is ours."""
        async with asyncio.TaskGroup() as tasks:
            feeding = tasks.create_task(self._hear(control_url), name="feed")
            end = await self._room.run()
            await self._say_farewell()
            feeding.cancel()
        return end

    async def _hear(self, control_url: str) -> None:
        await self._life.claimed.wait()
        origin = await self._origin()
        feed = self._feed = Feed(
            origin,
            on_frame=self._room.play,
            report=lambda: self._room.report(
                control_url, fed=self._feed is not None and self._feed.is_up
            ),
            reported=self._room.reported,
        )
        try:
            await feed.run()
        except (FeedForbidden, FeedGivenUp) as error:
            # Functions place another, where one is wanted, with a token of its own.
            logger.error("relay without a feed", extra={"error": repr(error)})
            self._room.end(RoomEnd.WORKER_STOPPING)

    async def _origin(self) -> Origin:
        """Read where the origin is, and by what it knows us."""
        space_id = self._config.space_id
        mine = paths.runtime_relay(space_id, self._index)
        theirs = paths.runtime_worker(space_id)
        while True:
            try:
                found = await self._firestore.read((mine, theirs))
                return Origin(
                    url=_fields(found[theirs])[RuntimeField.CONTROL_URL],
                    forward=_fields(found[mine])[RuntimeField.FEED_FORWARD],
                    index=self._index,
                )
            except (CallFailed, KeyError) as error:
                logger.warning("origin unknown", extra={"error": repr(error)})
            await asyncio.sleep(READ_RETRY_S)

    async def _say_farewell(self) -> None:
        """Tell the origin before the feed ends; it takes no word of others."""
        if self._feed is None:
            return
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self._feed.say_farewell()
        except (TimeoutError, FeedForbidden) as error:
            logger.info("left without farewell", extra={"error": repr(error)})

    def _api(self) -> ControlApi:
        return ControlApi(
            self._room.doorway,
            forward_check(self._config),
            react=self._room.react,
            ready=lambda: self._life.is_ready,
            metrics=self._metrics,
        )

    async def _metrics(self) -> str:
        await self._endpoint.refresh()
        metrics = [
            *process_metrics(),
            *relay_metrics(self._room, self._feed),
            *endpoint_metrics(self._endpoint),
        ]
        if self._life.link is not None:
            metrics += link_metrics(self._life.link)
        return render(metrics, {"relay_held_s": self._room.held})


def _fields(document: Any) -> dict[str, Any]:
    return decode(Document.pb(document))

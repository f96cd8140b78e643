"""Keeps a relay fed: connects to the origin, reports to it, and begins again."""

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Final

from spaces_contract.relays import REPORT_INTERVAL_S, RelayReport

from ..audio.frames import EncodedFrame
from ..transport.certificate import ProcessCertificate
from ..transport.counters import EndpointCounters
from .feed_connection import FeedConnection, FeedLost
from .feed_order import FeedCounts, FeedOrder, FeedPacket
from .feed_sdp import AnswerUnusable, FeedAnswer
from .origin import FeedForgotten, Origin, OriginUnreachable

FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 3.0
PATIENCE_S: Final = 15.0  # then listeners had better go elsewhere

logger = logging.getLogger(__name__)


class FeedGivenUp(Exception):
    """The origin was not heard for `PATIENCE_S`."""


class Feed:
    """
    Hears the origin over any number of connections.

    Lifecycle: `run` once, until cancelled.

    Args:
        on_frame: Called with each frame, in order, with the time since its packet
            reached this machine, s.
        report: Returns what to tell the origin; asked every `REPORT_INTERVAL_S`.
        reported: Called with each report that it has taken.

    Attributes:
        opened: How many feeds were opened so far; the first is one of them.
    """

    def __init__(
        self,
        origin: Origin,
        *,
        on_frame: Callable[[EncodedFrame, float], None],
        report: Callable[[], RelayReport],
        reported: Callable[[RelayReport], None],
    ) -> None:
        self._origin = origin
        self._on_frame = on_frame
        self._report = report
        self._reported = reported
        self._order = FeedOrder()
        self._certificate = ProcessCertificate.generate()
        self._connection: FeedConnection | None = None
        self._heard_s = time.monotonic()
        self.counters = EndpointCounters()
        self.opened = 0

    @property
    def is_up(self) -> bool:
        """Whether the mix comes just now."""
        return self._connection is not None and self._connection.is_up

    @property
    def counts(self) -> FeedCounts:
        """What came, and what did not."""
        return self._order.counts

    @property
    def rtt_s(self) -> float:
        """To the origin and back; 0 where that is not known."""
        connection = self._connection
        return 0.0 if connection is None else connection.rtt_s or 0.0

    async def run(self) -> None:
        """
        Hear the origin.

        Raises:
            FeedForbidden: it will never have us.
            FeedGivenUp: it was not heard for `PATIENCE_S`.
        """
        delay_s = FIRST_DELAY_S
        self._heard_s = time.monotonic()
        while time.monotonic() - self._heard_s < PATIENCE_S:
            heard_s = self._heard_s
            try:
                await self._hear()
            except (OriginUnreachable, FeedForgotten, FeedLost) as error:
                logger.warning("feed lost", extra={"error": str(error)})
            if self._heard_s > heard_s:
                delay_s = FIRST_DELAY_S
            # Spread, so that relays do not all come back at the same instant.
            await asyncio.sleep(delay_s * random.uniform(0.5, 1.0))  # noqa: S311
            delay_s = min(LONGEST_DELAY_S, 2 * delay_s)
        raise FeedGivenUp

    async def say_farewell(self) -> None:
        """Tell the origin that nobody shall be sent to us any more, if it listens."""
        leaving = RelayReport(
            control_url=self._report().control_url, listeners=0, capacity=0
        )
        try:
            await self._origin.report(leaving)
        except (OriginUnreachable, FeedForgotten) as error:
            logger.info("left without farewell", extra={"error": str(error)})

    async def _hear(self) -> None:
        """Open one feed and use it until it is lost."""
        connection = FeedConnection(
            self._certificate, self.counters, on_packet=self._packet_received
        )
        answer_sdp = await self._origin.open_feed(connection.offer())
        try:
            answer = FeedAnswer.parse(answer_sdp)
        except AnswerUnusable as error:
            raise OriginUnreachable(str(error)) from error
        self.opened += 1
        self._order.begin()
        self._connection = connection
        tasks = {
            asyncio.create_task(connection.run(answer), name="feed-connection"),
            asyncio.create_task(self._keep_reporting(), name="feed-report"),
        }
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            self._connection = None
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _keep_reporting(self) -> None:
        while True:
            try:
                report = self._report()
                await self._origin.report(report)
                self._reported(report)
            except OriginUnreachable as error:  # its sound may come all the same
                logger.warning("report failed", extra={"error": str(error)})
            await asyncio.sleep(REPORT_INTERVAL_S)

    def _packet_received(self, packet: FeedPacket) -> None:
        self._heard_s = time.monotonic()
        for frame in self._order.take(packet):
            self._on_frame(frame, time.monotonic() - packet.arrival_s)

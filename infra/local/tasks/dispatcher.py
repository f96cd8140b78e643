"""Dispatches due tasks of every queue, within its rate and its concurrency."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, NoReturn

import aiohttp

from ..auth import TokenIssuer
from . import protocol, queues
from .attempt import CRASHED, Outcome, dispatch
from .rate import TokenBucket
from .retry import RetryRule
from .store import StoredTask, TaskStore

logger = logging.getLogger(__name__)

# The wait for a due time is cut into pieces: a laptop that slept, or whose clock was
# set, is noticed at the next one.
_LONGEST_WAIT_S: Final = 10.0
# The pool takes its longest idle connection first, so that all of a burst's stay for
# as long as each is used once in this time: a short one lets them go.
_IDLE_CONNECTION_S: Final = 1.0


def wall_clock_us() -> int:
    """Return microseconds since the epoch."""
    return time.time_ns() // 1000


class Dispatcher:
    """
    One pump for each queue, asleep until the next due time or until it is woken.

    Lifecycle: `start()` inside the event loop, then `aclose()`; attempts under way are
    cut off then, and made again by the next process.  `wait_failed()` tells when no
    task can be trusted to be dispatched any more.

    Args:
        tombstone_s: How long the name of a task that is done stays taken.
        twice: Share of attempts that are made twice, at the same time.
    """

    def __init__(
        self,
        store: TaskStore,
        issuer: TokenIssuer,
        *,
        tombstone_s: float,
        twice: float = 0.0,
        now_us: Callable[[], int] = wall_clock_us,
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._tombstone_us = int(tombstone_s * 1_000_000)
        self._twice = twice
        self._now_us = now_us
        self._session: aiohttp.ClientSession | None = None
        self._pumps: dict[str, _Pump] = {}
        self._broken = asyncio.Event()
        self._failure: BaseException | None = None
        self.dispatched = 0  # attempts since the start

    def start(self) -> None:
        """Start a pump for each queue that is known."""
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(
                limit=0, keepalive_timeout=_IDLE_CONNECTION_S
            ),
            skip_auto_headers=("Content-Type", "Accept", "Accept-Encoding"),
        )
        for name in self._store.queue_names():
            self.wake(name)

    async def wait_failed(self) -> NoReturn:
        """
        Raise what broke a pump or kept an attempt's outcome from being stored.

        Neither mends itself: the next process finds every task in the store again.
        """
        await self._broken.wait()
        raise self._failure or RuntimeError("a pump ended")

    async def aclose(self) -> None:
        """Stop all pumps and attempts."""
        for pump in list(self._pumps.values()):
            await pump.aclose()
        if self._session is not None:
            await self._session.close()

    def wake(self, queue: str) -> None:
        """Look at a queue now: it or its tasks have changed."""
        pump = self._pumps.get(queue)
        if pump is None:
            pump = self._pumps[queue] = _Pump(
                queue, self._store, self._now_us, self.run, self._break
            )
            pump.start()
        pump.wake()

    async def forget(self, queue: str) -> None:
        """Stop the pump of a queue that was deleted."""
        pump = self._pumps.pop(queue, None)
        if pump is not None:
            await pump.aclose()

    def run_now(self, stored: StoredTask) -> Any:
        """Dispatch one task at once, whatever its time and its queue's limits."""
        self.wake(stored.queue)
        return self._pumps[stored.queue].begin(stored)

    async def run(self, stored: StoredTask) -> None:
        """Make one attempt and keep what came of it."""
        if self._session is None:
            raise RuntimeError("the dispatcher was not started")
        self.dispatched += 1
        now_s = self._now_us() // 1_000_000
        attempts = [
            dispatch(self._session, stored, self._issuer, now_s=now_s)
            for _ in range(self._copies())
        ]
        try:
            *_, outcome = await asyncio.gather(*attempts)
        except Exception:  # the edge of an attempt: this one is retried, others go on
            logger.exception("attempt crashed: %s", stored.message.name)
            outcome = CRASHED
        if outcome.succeeded:
            self._finish(stored.message.name)
        else:
            self._failed(stored, outcome)

    def _copies(self) -> int:
        """Return how often this attempt is made: an even share of them is twice."""
        due = int(self.dispatched * self._twice)
        return 1 + due - int((self.dispatched - 1) * self._twice)

    def _break(self, error: BaseException) -> None:
        self._failure = self._failure or error
        self._broken.set()

    def _finish(self, name: str) -> None:
        until_us = self._now_us() + self._tombstone_us
        self._store.finish(name, tombstone_until_us=until_us)

    def _failed(self, stored: StoredTask, outcome: Outcome) -> None:
        task = stored.message
        now_us = self._now_us()
        if outcome.http_status is not None:
            task.response_count += 1
            protocol.set_timestamp(task.last_attempt.response_time, now_us)
        task.last_attempt.response_status.code = outcome.code.value[0]
        task.last_attempt.response_status.message = outcome.detail
        rule = self._rule(stored)
        since_first_s = (
            now_us - task.first_attempt.dispatch_time.ToMicroseconds()
        ) / 1e6
        if rule is None or rule.gives_up(
            attempts=task.dispatch_count, since_first_s=since_first_s
        ):
            logger.warning("given up: %s: %s", task.name, outcome.detail)
            self._finish(task.name)
            return
        wait_s = max(rule.backoff_s(task.dispatch_count), outcome.retry_after_s)
        protocol.set_timestamp(task.schedule_time, now_us + int(wait_s * 1_000_000))
        self._store.postpone(task, previous_response=outcome.http_status)
        logger.info("failed: %s: %s", task.name, outcome.detail)

    def _rule(self, stored: StoredTask) -> RetryRule | None:
        if stored.message.HasField("retry_config"):
            return queues.retry_rule(stored.message.retry_config)
        queue = self._store.queue(stored.queue)
        return None if queue is None else queues.retry_rule(queue.retry_config)


class _Pump:
    """Starts the attempts of one queue."""

    def __init__(
        self,
        queue: str,
        store: TaskStore,
        now_us: Callable[[], int],
        run: Callable[[StoredTask], Any],
        on_break: Callable[[BaseException], None],
    ) -> None:
        self._queue = queue
        self._store = store
        self._now_us = now_us
        self._run = run
        self._break = on_break
        self._woken = asyncio.Event()
        self._attempts: set[asyncio.Task[None]] = set()
        self._bucket = TokenBucket(rate_per_s=1, burst=0, now_s=time.monotonic())
        self._limits: tuple[float, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._pump(), name=f"pump-{self._queue}")
        self._task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._break(error)

    def wake(self) -> None:
        self._woken.set()

    async def aclose(self) -> None:
        tasks = [*self._attempts, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def begin(self, stored: StoredTask) -> Any:
        """Note the attempt, then make it; returns the task as it is now."""
        task = stored.message
        now_us = self._now_us()
        task.dispatch_count += 1
        reason = task.last_attempt.response_status.message
        task.last_attempt.Clear()
        task.last_attempt.schedule_time.CopyFrom(task.schedule_time)
        protocol.set_timestamp(task.last_attempt.dispatch_time, now_us)
        if task.dispatch_count == 1:
            protocol.set_timestamp(task.first_attempt.dispatch_time, now_us)
        self._store.begin(task)
        attempt = asyncio.create_task(
            self._attempt(replace(stored, retry_reason=reason)), name=task.name
        )
        self._attempts.add(attempt)
        return task

    async def _attempt(self, stored: StoredTask) -> None:
        try:
            await self._run(stored)
        except Exception as error:  # the store's failure
            logger.exception("attempt not kept: %s", stored.message.name)
            self._break(error)
        finally:
            current = asyncio.current_task()
            if current is not None:
                self._attempts.discard(current)
            self.wake()

    async def _pump(self) -> None:
        while True:
            self._woken.clear()
            wait_s = self._dispatch_due()
            try:
                async with asyncio.timeout(wait_s):
                    await self._woken.wait()
            except TimeoutError:
                continue

    def _dispatch_due(self) -> float | None:
        """Start what may start now; return the longest wait, None until woken."""
        queue = self._store.queue(self._queue)
        if queue is None or queue.state != protocol.Queue.RUNNING:
            return None
        limits = queue.rate_limits
        self._follow(limits.max_dispatches_per_second, limits.max_burst_size)
        slots = limits.max_concurrent_dispatches - len(self._attempts)
        if slots <= 0:
            return None
        tokens = self._bucket.available(time.monotonic())
        due = self._store.due(
            self._queue, now_us=self._now_us(), limit=min(slots, tokens)
        )
        self._bucket.take(len(due))
        for stored in due:
            self.begin(stored)
        return self._wait_s(started_all=len(due) < min(slots, tokens))

    def _wait_s(self, *, started_all: bool) -> float | None:
        next_due_us = self._store.next_due_us(self._queue)
        if next_due_us is None:
            return None
        until_due_s = max(0.0, (next_due_us - self._now_us()) / 1e6)
        if not started_all:  # held back by the rate (or by the slots: then woken)
            until_due_s = max(until_due_s, self._bucket.wait_s(), 0.001)
        return min(until_due_s, _LONGEST_WAIT_S)

    def _follow(self, rate_per_s: float, burst: int) -> None:
        if self._limits is None:
            self._bucket = TokenBucket(
                rate_per_s=rate_per_s, burst=burst, now_s=time.monotonic()
            )
        elif self._limits != (rate_per_s, burst):
            self._bucket.reconfigure(rate_per_s=rate_per_s, burst=burst)
        self._limits = (rate_per_s, burst)

"""
The one writer: commits wait in a queue and are made durable in groups.

All of a group is evaluated and written in one SQLite transaction; each commit in it
keeps its own version, its own checks and its own fate.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import grpc

from .documents import StoredDocument
from .errors import StatusError, aborted
from .execution import QueryRunner
from .locks import Change, Locks
from .mutations import Mutation, apply
from .protocol import Message, WriteResult, to_timestamp
from .transactions import Transaction
from .watches import query_topic

logger = logging.getLogger(__name__)

_MAX_GROUP: Final = 256


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did: its version, a result for each write, and the changes."""

    version: int
    results: Sequence[Message]
    changes: Sequence[Change]


@dataclass(eq=False, slots=True)
class _Job:
    mutations: Sequence[Mutation]
    transaction: Transaction | None
    done: asyncio.Future[Committed]


@dataclass(eq=False, slots=True)
class _Blocked(Exception):
    blockers: Sequence[Transaction] = field(default_factory=list)
    keys: Sequence[bytes] = ()


class Writer:
    """
    Applies commits in the order of their arrival.

    Lifecycle: `start()` once, then `commit` from any task of the same loop;
    `aclose()` finishes what is queued.

    Args:
        now_us: Wall clock; versions never run behind it for long.
        published: Called after each durable group with its commits, in order.
        power_safe: Commit in a thread, as the disk is then waited for.
    """

    def __init__(
        self,
        runner: QueryRunner,
        locks: Locks,
        *,
        now_us: Callable[[], int],
        published: Callable[[Sequence[Committed]], None],
        power_safe: bool = False,
    ) -> None:
        self._runner = runner
        self._store = runner.store
        self._locks = locks
        self.now_us = now_us
        self._published = published
        self._power_safe = power_safe
        self._queue: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._turn = asyncio.Lock()  # of whoever uses the store's writing connection
        self._settled = asyncio.Event()
        self._settled.set()
        self._task: asyncio.Task[None] | None = None
        self._waiting: set[asyncio.Task[None]] = set()
        self._closing = False
        self._evaluated = self._store.last_version()
        self.version = self._evaluated

    def start(self) -> None:
        """Begin to take commits."""
        self._task = asyncio.create_task(self._run(), name="firestore-writer")

    async def aclose(self) -> None:
        """Finish the queue and stop."""
        self._closing = True
        self._wake.set()
        for task in list(self._waiting):
            task.cancel()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def wait_closed(self) -> None:
        """Return when the writer was closed; raise what it died of, if it did."""
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task.result()

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Let commits wait for the length of a block; reads go on."""
        async with self._turn:
            yield

    async def settled(self) -> None:
        """Return when no group is between its evaluation and its publication."""
        await self._settled.wait()

    async def commit(
        self, mutations: Sequence[Mutation], transaction: Transaction | None = None
    ) -> Committed:
        """
        Apply all of `mutations` or none; return when that is durable.

        Raises:
            StatusError: a precondition failed, the transaction conflicts, or the
                disk refused.
        """
        if self._closing:
            raise StatusError(grpc.StatusCode.UNAVAILABLE, "The server is stopping.")
        done: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self._enqueue(_Job(mutations, transaction, done))
        return await done

    async def commit_each(
        self, mutations: Sequence[Mutation]
    ) -> list[Committed | StatusError]:
        """Apply each mutation by itself; return what came of each."""
        outcomes = await asyncio.gather(
            *(self.commit([mutation]) for mutation in mutations),
            return_exceptions=True,
        )
        found: list[Committed | StatusError] = []
        for outcome in outcomes:
            if not isinstance(outcome, Committed | StatusError):
                raise outcome
            found.append(outcome)
        return found

    async def prune(self, before: int, *, keep_rows: int) -> None:
        """Forget history that ended before version `before`, in small steps."""
        more = True
        while more:
            async with self._turn:
                self._store.begin()
                more = self._store.prune(before, keep_rows=keep_rows)
                self._store.commit()
            await asyncio.sleep(0)

    def _enqueue(self, job: _Job) -> None:
        self._queue.append(job)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                async with self._turn:
                    await self._commit_group()
            if self._closing:
                return

    async def _commit_group(self) -> None:
        self._settled.clear()
        group: list[tuple[_Job, Committed]] = []
        try:
            self._store.begin()
            self._evaluate(group)
            if group:
                self._store.set_meta("version", self._evaluated)
            if self._power_safe and group:
                await asyncio.to_thread(self._store.commit)
            else:
                self._store.commit()
        except sqlite3.Error as error:
            self._store.rollback()
            self._evaluated = self.version
            self._refuse(group, error)
            return
        finally:
            self._settled.set()
        self.version = self._evaluated
        self._published([committed for _, committed in group])
        for job, committed in group:
            if not job.done.done():
                job.done.set_result(committed)

    def _evaluate(self, group: list[tuple[_Job, Committed]]) -> None:
        for _ in range(min(len(self._queue), _MAX_GROUP)):
            job = self._queue.popleft()
            if job.done.done():
                continue  # its client gave up
            try:
                group.append((job, self._apply(job)))
            except StatusError as error:
                job.done.set_exception(error)
            except _Blocked as blocked:
                self._park(job, blocked)
            except sqlite3.Error:
                self._queue.appendleft(job)
                raise
            except Exception:
                # Evaluation failed before anything was written: only this commit dies.
                logger.exception("commit not understood")
                job.done.set_exception(
                    StatusError(grpc.StatusCode.INTERNAL, "The commit failed.")
                )

    def _refuse(
        self, group: Sequence[tuple[_Job, Committed]], error: sqlite3.Error
    ) -> None:
        logger.error("commit failed", extra={"reason": str(error)})
        jobs = [job for job, _ in group]
        if not jobs and self._queue:
            jobs.append(self._queue.popleft())
        for job in jobs:
            if not job.done.done():
                job.done.set_exception(
                    StatusError(grpc.StatusCode.UNAVAILABLE, f"Storage: {error}")
                )

    def _park(self, job: _Job, blocked: _Blocked) -> None:
        task = asyncio.create_task(self._wait(job, blocked), name="firestore-lock-wait")
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _wait(self, job: _Job, blocked: _Blocked) -> None:
        try:
            await self._locks.wait_for(job.transaction, blocked.keys, blocked.blockers)
        except StatusError as error:
            if not job.done.done():
                job.done.set_exception(error)
        else:
            self._enqueue(job)

    def _apply(self, job: _Job) -> Committed:
        version = max(self.now_us(), self._evaluated + 1)
        # What is stale is told before what fails because of it.
        if job.transaction is not None and job.mutations:
            self._validate(job.transaction)
        before: dict[bytes, StoredDocument | None] = {}
        after: dict[bytes, StoredDocument | None] = {}
        results = []
        for mutation in job.mutations:
            key = mutation.path.key()
            if key not in after:
                before[key] = after[key] = self._store.get(key, self._store.writer)
            after[key], result = _next(mutation, key, after[key], version)
            results.append(result)
        changes = [
            Change(key, before[key], after[key])
            for key in after
            if after[key] is not before[key]
        ]
        blockers = self._locks.commit_blockers(job.transaction, changes)
        if blockers:
            raise _Blocked(blockers, list(after))
        self._write(changes, version)
        self._evaluated = version
        return Committed(version, results, changes)

    def _write(self, changes: Sequence[Change], version: int) -> None:
        catalog = self._runner.catalog
        prepared = []
        for change in changes:
            prepared.append((change, *catalog.changes(change.before, change.after)))
        for change, removed, added in prepared:
            self._store.replace(
                change.before,
                change.after,
                version=version,
                removed=removed,
                added=added,
            )

    def _validate(self, transaction: Transaction) -> None:
        """Raise ABORTED if what the transaction read is no longer so."""
        contention = self._locks.contention
        connection = self._store.writer
        for key, seen in transaction.documents.items():
            current = self._store.get(key, connection)
            if (current.updated_us if current else None) != seen:
                contention.mark(transaction.documents)
                raise _conflict()
        for query, seen_results, seen_version in transaction.queries:
            changed = self._store.changed_since(seen_version, connection)
            concerned = any(
                document is not None and query.position(document) is not None
                for key, past in changed.items()
                for document in (past, self._store.get(key, connection))
            )
            if concerned:
                results = self._runner.results(query, connection)
                if [(d.key, d.updated_us) for d in results] != seen_results:
                    contention.mark([query_topic(query)])
                    raise _conflict()


def _next(
    mutation: Mutation, key: bytes, current: StoredDocument | None, version: int
) -> tuple[StoredDocument | None, Message]:
    effect = apply(mutation, current, now_us=version)
    result = WriteResult(transform_results=effect.transform_results)
    if effect.fields is None:
        return None, result
    created_us = current.created_us if current else version
    document = current
    if current is None or current.fields != effect.fields:
        document = StoredDocument.build(
            mutation.path, effect.fields, created_us=created_us, updated_us=version
        )
    if document is not None:
        result.update_time.CopyFrom(to_timestamp(document.updated_us))
    return document, result


def _conflict() -> StatusError:
    return aborted("Too much contention on these documents. Please try again.")

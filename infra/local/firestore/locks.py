"""
Waiting for the locks of other transactions, without starvation or deadlock.

Locks are on documents that were read, present or not, and on the results of queries.
Among those who wait, who came first goes first.  A cycle of waiting transactions is
broken by ending the youngest of them with ABORTED.
"""

import asyncio
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass

from .contention import Contention
from .documents import StoredDocument
from .errors import StatusError, aborted
from .transactions import Locking, Transaction, Transactions


@dataclass(frozen=True, slots=True)
class Change:
    """A document before and after a commit; None where there is none."""

    key: bytes
    before: StoredDocument | None
    after: StoredDocument | None


@dataclass(eq=False, slots=True)
class _Waiter:
    transaction: Transaction | None
    keys: Collection[Hashable]
    exclusive: bool
    woken: asyncio.Future[None]
    blockers: Sequence[Transaction] = ()


class Locks:
    """Who waits for whom; the locks themselves are what transactions have read."""

    def __init__(self, transactions: Transactions, contention: Contention) -> None:
        self._transactions = transactions
        self.contention = contention
        self._waiters: list[_Waiter] = []

    async def acquire(
        self, transaction: Transaction, keys: Collection[Hashable]
    ) -> None:
        """
        Wait until `transaction` may read `keys` and nobody else may change them.

        Keys are name keys, and topics of queries among those who lock.

        Raises:
            StatusError: ABORTED, another transaction won.
        """
        exclusive = transaction.locking is Locking.EXCLUSIVE
        waiter = None
        try:
            while blockers := self._read_blockers(transaction, keys, exclusive, waiter):
                if waiter is None:
                    waiter = _Waiter(transaction, keys, exclusive, _future())
                    self._waiters.append(waiter)
                await self._wait(waiter, blockers)
            transaction.locked.update(keys)
        finally:
            self._leave(waiter)

    def commit_blockers(
        self, transaction: Transaction | None, changes: Iterable[Change]
    ) -> list[Transaction]:
        """Return the transactions whose locks forbid these changes now."""
        changes = list(changes)
        return [
            holder
            for holder in self._transactions.holders()
            if holder is not transaction
            and any(_forbids(holder, change) for change in changes)
        ]

    async def wait_for(
        self,
        transaction: Transaction | None,
        keys: Collection[bytes],
        blockers: Sequence[Transaction],
    ) -> None:
        """
        Wait until something ended that a commit was waiting for.

        Raises:
            StatusError: ABORTED, another transaction won.
        """
        waiter = _Waiter(transaction, keys, True, _future())
        self._waiters.append(waiter)
        try:
            await self._wait(waiter, blockers)
        finally:
            self._leave(waiter)

    def released(self) -> None:
        """Wake those for whom nobody is left to wait, after a transaction ended."""
        for waiter in self._waiters:
            transaction = waiter.transaction
            lost = transaction is not None and transaction.failure is not None
            if waiter.woken.done() or not (lost or self._is_free(waiter)):
                continue
            waiter.woken.set_result(None)

    def _is_free(self, waiter: _Waiter) -> bool:
        return not any(self._transactions.is_open(t) for t in waiter.blockers)

    def _leave(self, waiter: _Waiter | None) -> None:
        if waiter is not None:
            self._waiters.remove(waiter)
            self.released()

    def _read_blockers(
        self,
        transaction: Transaction,
        keys: Collection[Hashable],
        exclusive: bool,
        own: _Waiter | None,
    ) -> list[Transaction]:
        found = [
            holder
            for holder in self._transactions.holders()
            if holder is not transaction
            and (exclusive or holder.locking is Locking.EXCLUSIVE)
            and any(key in holder.locked for key in keys)
        ]
        for waiter in self._waiters:
            if waiter is own:
                break
            other = waiter.transaction
            if other is None or other is transaction or other in found:
                continue
            if not self._transactions.is_open(other):  # about to leave
                continue
            if (exclusive or waiter.exclusive) and not set(keys).isdisjoint(
                waiter.keys
            ):
                found.append(other)
        return found

    async def _wait(self, waiter: _Waiter, blockers: Sequence[Transaction]) -> None:
        waiter.blockers = blockers
        self.contention.mark(waiter.keys)
        self._break_cycles(waiter)
        transaction = waiter.transaction
        if transaction is not None and transaction.failure is not None:
            raise transaction.failure
        if self._is_free(waiter):  # they ended before we came to wait for them
            return
        waiter.woken = _future()
        # A lease may end without anybody saying so.
        lease_s = min(blocker.lease_s for blocker in blockers)
        await asyncio.wait([waiter.woken], timeout=lease_s)
        if transaction is not None:
            if transaction.failure is not None:
                raise transaction.failure
            self._transactions.get(transaction.id)

    def _break_cycles(self, waiter: _Waiter) -> None:
        cycle = self._cycle(waiter)
        if not cycle:
            return
        victim = max(cycle, key=lambda transaction: transaction.age)
        victim.failure = _lost()
        self.released()

    def _cycle(self, waiter: _Waiter) -> list[Transaction]:
        start = waiter.transaction
        if start is None:
            return []
        edges = {w.transaction: w.blockers for w in self._waiters}
        trail: list[Transaction] = []
        seen: set[Transaction] = set()

        def reaches_start(transaction: Transaction) -> bool:
            trail.append(transaction)
            for blocker in edges.get(transaction, ()):
                if blocker is start:
                    return True
                if blocker not in seen:
                    seen.add(blocker)
                    if reaches_start(blocker):
                        return True
            trail.pop()
            return False

        return trail if reaches_start(start) else []


def _forbids(holder: Transaction, change: Change) -> bool:
    if change.key in holder.locked:
        return True
    for query, _, _ in holder.queries:
        for document in (change.before, change.after):
            if document is not None and query.position(document) is not None:
                return True
    return False


def _lost() -> StatusError:
    return aborted(
        "Transaction lock contention: another transaction holds these documents. "
        "Please try again."
    )


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()

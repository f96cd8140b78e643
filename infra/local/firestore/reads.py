"""Reading in and outside of transactions, at the right version."""

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass

from .documents import StoredDocument
from .errors import invalid
from .execution import QueryRunner
from .locks import Locks
from .protocol import Message, from_timestamp
from .queries import Query
from .tokens import check_read_time
from .transactions import Locking, Transaction, Transactions
from .watches import query_topic
from .writer import Writer


@dataclass(frozen=True, slots=True)
class Consistency:
    """
    What a read request asked for.

    Args:
        transaction: To read in, and to record in; None for none.
        opened: Whether this request began the transaction.
        at: Past version to read; None for the newest.
    """

    transaction: Transaction | None = None
    opened: bool = False
    at: int | None = None


class Reads:
    """Answers reads; knows how each kind of transaction reads."""

    def __init__(
        self,
        runner: QueryRunner,
        transactions: Transactions,
        locks: Locks,
        writer: Writer,
    ) -> None:
        self._runner = runner
        self._store = runner.store
        self._transactions = transactions
        self._locks = locks
        self._writer = writer

    def consistency(
        self, request: Message, items: Collection[Hashable] = ()
    ) -> Consistency:
        """
        Read the consistency selector of a request.

        Args:
            items: Name keys or the query's topic: what may be contended.

        Raises:
            StatusError: the transaction or read time is not valid.
        """
        kind = request.WhichOneof("consistency_selector")
        if kind == "transaction":
            transaction = self._transactions.get(request.transaction)
            return Consistency(transaction, at=self._snapshot(transaction, items))
        if kind == "new_transaction":
            transaction = self.begin(request.new_transaction)
            return Consistency(transaction, True, self._snapshot(transaction, items))
        if kind == "read_time":
            return Consistency(at=self.past(request.read_time))
        return Consistency()

    def begin(self, options: Message) -> Transaction:
        """
        Open a transaction as `TransactionOptions` say.

        Raises:
            StatusError: an option is not valid.
        """
        if options.WhichOneof("mode") == "read_only":
            snapshot = None
            if options.read_only.HasField("read_time"):
                snapshot = self.past(options.read_only.read_time)
            return self._transactions.begin_read_only(snapshot)
        read_write = options.read_write
        chosen = {1: False, 2: True}.get(read_write.concurrency_mode)
        retried = read_write.retry_transaction
        return self._transactions.begin(retried=retried, pessimistic=chosen)

    def past(self, time: Message) -> int:
        """
        Return the version that a read time names.

        Raises:
            StatusError: it is in the future or older than history is kept.
        """
        return check_read_time(
            from_timestamp(time),
            now_us=self._writer.now_us(),
            horizon=self._store.horizon,
        )

    def read_time(self, consistency: Consistency) -> int:
        """Return the version to tell the client that it read."""
        return self._writer.version if consistency.at is None else consistency.at

    async def documents(
        self, keys: Sequence[bytes], consistency: Consistency
    ) -> dict[bytes, StoredDocument | None]:
        """
        Return documents by name key.

        Raises:
            StatusError: ABORTED, the transaction lost against another.
        """
        transaction = consistency.transaction
        if transaction is not None and transaction.locking is not Locking.NONE:
            await self._locks.acquire(transaction, keys)
            await self._writer.settled()
        at = consistency.at
        found = {
            key: self._store.get(key) if at is None else self._store.get_at(key, at)
            for key in keys
        }
        if transaction is not None and not transaction.read_only:
            for key, document in found.items():
                transaction.record(key, document.updated_us if document else None)
        return found

    async def observe(self, query: Query, consistency: Consistency) -> None:
        """
        Record what a query returns in its transaction, so that phantoms are found.

        Where the transaction locks, wait until all of the results are locked.

        Raises:
            StatusError: ABORTED, the transaction lost against another.
        """
        transaction = consistency.transaction
        if transaction is None or transaction.read_only:
            return
        if transaction.locking is Locking.NONE:
            version = self.read_time(consistency)
            results = self._run(query, consistency.at)
        else:
            results = await self._lock_results(query, transaction)
            version = self._writer.version
        pairs = [(document.key, document.updated_us) for document in results]
        transaction.queries.append((query, pairs, version))

    async def _lock_results(
        self, query: Query, transaction: Transaction
    ) -> list[StoredDocument]:
        # Those who ask about the same collection take turns even while it is empty.
        await self._locks.acquire(transaction, [query_topic(query)])
        while True:
            keys = [document.key for document in self._run(query)]
            await self._locks.acquire(transaction, keys)
            await self._writer.settled()
            results = self._run(query)
            if transaction.locked.issuperset(document.key for document in results):
                return results

    def _run(self, query: Query, at: int | None = None) -> list[StoredDocument]:
        with self._store.snapshot() as connection:
            return list(self._runner.results(query, connection, at=at))

    def _snapshot(
        self, transaction: Transaction, items: Collection[Hashable]
    ) -> int | None:
        fresh = transaction.snapshot is None and not transaction.read_only
        if fresh and self._locks.contention.is_hot(items):
            transaction.take_turns()
        if transaction.locking is not Locking.NONE:
            return None
        if transaction.snapshot is None:
            transaction.snapshot = self._writer.version
        elif transaction.snapshot < self._store.horizon:
            raise invalid("The transaction is older than the history that is kept.")
        return transaction.snapshot

"""
Transactions: what they read, how long they live, and how they lock.

A first attempt is optimistic by default: it reads one snapshot and is validated at
commit.  A retry, and whoever reads where others lately collided, takes exclusive
locks, in turn and with a short lease, because clients retry only five times and
without a pause.  Pessimistic transactions lock what they read from the start.
"""

import secrets
import struct
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from .errors import StatusError, aborted, invalid
from .queries import Query

IDLE_LIMIT_S: Final = 60.0
TOTAL_LIMIT_S: Final = 270.0
RETRY_LEASE_S: Final = 2.0  # of locks that are there for fairness alone
_RANDOM_BYTES: Final = 8
_ID: Final = struct.Struct(f">{_RANDOM_BYTES}sQ")


class Locking(Enum):
    """What a transaction's reads keep others from doing."""

    NONE = "none"
    SHARED = "shared"  # others may read
    EXCLUSIVE = "exclusive"  # other locking transactions may not even read


@dataclass(eq=False, slots=True)
class Transaction:
    """
    One open transaction.

    Args:
        age: Position in the order of first attempts; retries inherit it.
        lease_s: How long its locks hold without a call of its client.
        snapshot: Version that its reads see; None until the first one, and always
            None where locks keep the newest version in place.
        documents: Name key -> version seen, None for a document that was absent.
        queries: Each with the (name key, version) pairs it returned, and the version
            of the database that it saw.
        locked: Name keys that nobody else may change while the lease lasts, and
            topics of queries that others who lock may not ask.
        failure: Why its next call will fail, if it lost against another.
    """

    id: bytes
    age: int
    read_only: bool
    locking: Locking
    lease_s: float
    started_s: float
    used_s: float
    snapshot: int | None = None
    documents: dict[bytes, int | None] = field(default_factory=dict)
    queries: list[tuple[Query, list[tuple[bytes, int]], int]] = field(
        default_factory=list
    )
    locked: set[Hashable] = field(default_factory=set)
    failure: StatusError | None = None

    def take_turns(self) -> None:
        """Lock what is read from now on; legal before the first read."""
        self.locking = Locking.EXCLUSIVE
        self.lease_s = RETRY_LEASE_S

    def record(self, key: bytes, version: int | None) -> None:
        """
        Remember a document that was read.

        Raises:
            StatusError: ABORTED, an earlier read saw another version.
        """
        if self.documents.setdefault(key, version) != version:
            raise aborted("Too much contention on these documents. Please try again.")


class Transactions:
    """
    The open transactions.

    Args:
        pessimistic: Lock-and-wait, as production's default, for all that do not
            choose for themselves.
        now_s: A monotonic clock.
    """

    def __init__(self, *, pessimistic: bool, now_s: Callable[[], float]) -> None:
        self._pessimistic = pessimistic
        self._now_s = now_s
        self._open: dict[bytes, Transaction] = {}
        self._next_age = 0

    def begin_read_only(self, snapshot: int | None) -> Transaction:
        """Open a transaction that reads one version and writes nothing."""
        return self._begin(self._new_age(), Locking.NONE, snapshot, read_only=True)

    def begin(
        self, *, retried: bytes = b"", pessimistic: bool | None = None
    ) -> Transaction:
        """
        Open a transaction that may write.

        Args:
            retried: Id of the failed transaction that this one repeats, or nothing.
            pessimistic: The client's choice, if it made one.

        Raises:
            StatusError: INVALID_ARGUMENT, `retried` was never an id.
        """
        locks = self._pessimistic if pessimistic is None else pessimistic
        if retried:
            return self._begin(_age(retried), Locking.EXCLUSIVE, None, lease=not locks)
        mode = Locking.SHARED if locks else Locking.NONE
        return self._begin(self._new_age(), mode, None)

    def get(self, transaction_id: bytes) -> Transaction:
        """
        Return an open transaction and renew its lease.

        Raises:
            StatusError: INVALID_ARGUMENT, it is unknown, over or expired; ABORTED,
                it lost against another.
        """
        transaction = self._open.get(transaction_id)
        if transaction is None or self._expired(transaction):
            self.close(transaction_id)
            raise invalid(
                "The referenced transaction has expired or is no longer valid."
            )
        if transaction.failure is not None:
            self.close(transaction_id)
            raise transaction.failure
        transaction.used_s = self._now_s()
        return transaction

    def close(self, transaction_id: bytes) -> None:
        """End a transaction, however; unknown ids are over already."""
        self._open.pop(transaction_id, None)

    def is_open(self, transaction: Transaction) -> bool:
        """Return whether others may still have to wait for `transaction`."""
        return transaction.id in self._open and transaction.failure is None

    def holders(self) -> Iterator[Transaction]:
        """Yield the transactions whose locks hold."""
        now_s = self._now_s()
        for transaction in self._open.values():
            if (
                transaction.locking is not Locking.NONE
                and transaction.failure is None
                and now_s - transaction.used_s < transaction.lease_s
            ):
                yield transaction

    def expire(self) -> None:
        """Forget transactions whose clients went away."""
        for transaction in [t for t in self._open.values() if self._expired(t)]:
            self.close(transaction.id)

    def __len__(self) -> int:
        return len(self._open)

    def _new_age(self) -> int:
        self._next_age += 1
        return self._next_age

    def _begin(
        self,
        age: int,
        locking: Locking,
        snapshot: int | None,
        *,
        read_only: bool = False,
        lease: bool = False,
    ) -> Transaction:
        now_s = self._now_s()
        transaction = Transaction(
            id=_ID.pack(secrets.token_bytes(_RANDOM_BYTES), age),
            age=age,
            read_only=read_only,
            locking=locking,
            lease_s=RETRY_LEASE_S if lease else IDLE_LIMIT_S,
            started_s=now_s,
            used_s=now_s,
            snapshot=snapshot,
        )
        self._open[transaction.id] = transaction
        return transaction

    def _expired(self, transaction: Transaction) -> bool:
        now_s = self._now_s()
        return (
            now_s - transaction.used_s > IDLE_LIMIT_S
            or now_s - transaction.started_s > TOTAL_LIMIT_S
        )


def check_id(transaction_id: bytes) -> None:
    """
    Refuse what never was a transaction's id; one that is over is an id.

    Raises:
        StatusError: INVALID_ARGUMENT.
    """
    if len(transaction_id) != _ID.size:
        raise invalid("Invalid transaction.")


def _age(transaction_id: bytes) -> int:
    check_id(transaction_id)
    age: int = _ID.unpack(transaction_id)[1]
    return age

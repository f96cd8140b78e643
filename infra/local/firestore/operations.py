"""
Counts operations as Google bills them, and tells them to other processes.

Reads: each document that a get, a query or a listener delivers (skipped by an offset
included), each missing document asked for by name, one for a query without results,
one for each started 1,000 index entries of an aggregation.  Writes and deletes: each
that was committed; a no-op costs the same.
"""

import json
from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import grpc

GET_METHOD: Final = "/parley.local.Operations/Get"
RESET_METHOD: Final = "/parley.local.Operations/Reset"
MAX_COLLECTIONS: Final = 10_000
ENTRIES_PER_READ: Final = 1_000


class Kind(StrEnum):
    """What Google bills."""

    READS = "reads"
    WRITES = "writes"
    DELETES = "deletes"


class OperationCounter:
    """
    Counters since the start or the last reset.

    Collections are counted by their id (`participants`), not by their path.
    """

    def __init__(self) -> None:
        self._by_collection: dict[str, Counter[Kind]] = {}
        self._total: Counter[Kind] = Counter()

    def add(self, kind: Kind, collection_id: str, count: int = 1) -> None:
        """Count `count` operations on documents of one collection id."""
        self._total[kind] += count
        counter = self._by_collection.get(collection_id)
        if counter is None:
            if len(self._by_collection) >= MAX_COLLECTIONS:
                return  # the total still holds
            counter = self._by_collection[collection_id] = Counter()
        counter[kind] += count

    def add_query(self, collection_id: str | None, delivered: int) -> None:
        """Count a query that delivered or skipped so many documents."""
        self.add(Kind.READS, collection_id or "", max(1, delivered))

    def add_aggregation(self, collection_id: str | None, entries: int) -> None:
        """Count an aggregation over so many index entries."""
        reads = -(-entries // ENTRIES_PER_READ)
        self.add(Kind.READS, collection_id or "", max(1, reads))

    def reset(self) -> None:
        """Start again from nothing."""
        self._by_collection.clear()
        self._total.clear()

    def snapshot(self) -> dict[str, Any]:
        """Return `{"reads", "writes", "deletes", "collections": {id: {…}}}`."""
        return {
            **_numbers(self._total),
            "collections": {
                name: _numbers(counter)
                for name, counter in sorted(self._by_collection.items())
            },
        }


def _numbers(counter: Mapping[Kind, int]) -> dict[str, int]:
    return {kind.value: counter.get(kind, 0) for kind in Kind}


def fetch_operations(
    channel: grpc.Channel, *, timeout_s: float = 5.0
) -> dict[str, Any]:
    """
    Return the counters of a running server, see `OperationCounter.snapshot`.

    Raises:
        grpc.RpcError: the server does not answer.
    """
    return _call(channel, GET_METHOD, timeout_s)


def reset_operations(
    channel: grpc.Channel, *, timeout_s: float = 5.0
) -> dict[str, Any]:
    """
    Set the counters of a running server to zero; return what they were.

    Raises:
        grpc.RpcError: the server does not answer.
    """
    return _call(channel, RESET_METHOD, timeout_s)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was counted between two snapshots, and only where anything was."""
    collections = {}
    for name, numbers in after["collections"].items():
        earlier = before["collections"].get(name, {})
        spent = {key: count - earlier.get(key, 0) for key, count in numbers.items()}
        if any(spent.values()):
            collections[name] = spent
    totals = {kind.value: after[kind.value] - before[kind.value] for kind in Kind}
    return {**totals, "collections": collections}


def _call(channel: grpc.Channel, method: str, timeout_s: float) -> dict[str, Any]:
    call = channel.unary_unary(
        method, request_serializer=None, response_deserializer=None
    )
    result: dict[str, Any] = json.loads(call(b"", timeout=timeout_s))
    return result

"""Waiting for locks: what ends before anybody waits for it is not waited for."""

import asyncio

from infra.local.firestore.contention import Contention
from infra.local.firestore.locks import Locks
from infra.local.firestore.transactions import Transactions

KEY = b"rooms/a"
AT_ONCE_S = 5.0  # a lease is 60 s


async def test_who_ended_is_not_waited_for() -> None:
    """
    A commit that is told to wait for a transaction, which ends before it does, goes on:
    nobody would wake it any more.
    """
    transactions = Transactions(pessimistic=True, now_s=lambda: 0.0)
    locks = Locks(transactions, Contention(now_s=lambda: 0.0))
    holder, writer = transactions.begin(), transactions.begin()
    await locks.acquire(holder, [KEY])
    await locks.acquire(writer, [KEY])
    transactions.close(holder.id)
    locks.released()

    async with asyncio.timeout(AT_ONCE_S):
        await locks.wait_for(writer, [KEY], [holder])


async def test_a_commit_goes_on_when_the_last_holder_ends() -> None:
    """
    Not before: another reader's lock holds.
    """
    transactions = Transactions(pessimistic=True, now_s=lambda: 0.0)
    locks = Locks(transactions, Contention(now_s=lambda: 0.0))
    first, second, writer = (transactions.begin() for _ in range(3))
    waiting = asyncio.create_task(locks.wait_for(writer, [KEY], [first, second]))
    await asyncio.sleep(0)
    transactions.close(first.id)
    locks.released()
    await asyncio.sleep(0)
    early = waiting.done()
    transactions.close(second.id)
    locks.released()

    async with asyncio.timeout(AT_ONCE_S):
        await waiting
    assert not early


async def test_who_lost_but_still_stands_in_line_is_not_waited_for() -> None:
    """
    The line in front of a reader holds only those who can still get through.
    """
    transactions = Transactions(pessimistic=True, now_s=lambda: 0.0)
    locks = Locks(transactions, Contention(now_s=lambda: 0.0))
    holder, lost, reader = (transactions.begin() for _ in range(3))
    await locks.acquire(holder, [KEY])
    waiting = asyncio.create_task(locks.wait_for(lost, [KEY], [holder]))
    await asyncio.sleep(0)
    transactions.close(lost.id)  # its client went away; nobody woke it

    async with asyncio.timeout(AT_ONCE_S):
        await locks.acquire(reader, [KEY])
    waiting.cancel()
    await asyncio.wait([waiting])

"""Many transactions on the same documents: nobody starves, nothing is lost."""

import threading
import time
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.conformance.firestore.servers import Client, ParleyFirestore, client, running


def begin(db: Client, **options: Any) -> firestore.Transaction:
    """Return a transaction that has begun."""
    transaction: firestore.Transaction = db.transaction(**options)
    transaction._begin()
    return transaction


def increment_all(db: Client, threads: int, times: int) -> None:
    """Increment rooms/a by transaction in threads."""
    document = db.document("rooms/a")
    document.set({"n": 0})
    failures: list[BaseException] = []

    @firestore.transactional
    def increment(transaction: firestore.Transaction) -> None:
        n = document.get(transaction=transaction).get("n")
        transaction.update(document, {"n": n + 1})

    def work() -> None:
        try:
            for _ in range(times):
                increment(db.transaction())
        except Exception as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures


def test_contended_increments_are_all_counted(ours: Client) -> None:
    """
    With more threads than the client has attempts, nobody starves or is lost.
    """
    increment_all(ours, threads=12, times=5)

    assert ours.document("rooms/a").get().get("n") == 60


def test_contended_queries_are_all_counted(ours: Client) -> None:
    """
    Threads that take the next number by a query never take the same one.
    """
    failures: list[BaseException] = []
    taken = ours.collection("taken")

    @firestore.transactional
    def take(transaction: firestore.Transaction, name: str) -> None:
        count = len(list(taken.stream(transaction=transaction)))
        transaction.create(taken.document(str(count)), {"by": name})

    def work(name: str) -> None:
        try:
            for _ in range(3):
                take(ours.transaction(), name)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failures
    assert sorted(int(document.id) for document in taken.stream()) == list(range(18))


@pytest.fixture(scope="module")
def pessimistic(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server that locks what transactions read."""
    with running(tmp_path_factory.mktemp("pessimistic"), "--pessimistic") as server:
        yield server


def test_with_locks_increments_are_all_counted(
    pessimistic: ParleyFirestore, project: str
) -> None:
    """
    Lock-and-wait loses nothing either.
    """
    with client(pessimistic.address, project) as db:
        increment_all(db, threads=8, times=4)

        assert db.document("rooms/a").get().get("n") == 32


def test_with_locks_a_writer_waits_for_a_reader(
    pessimistic: ParleyFirestore, project: str
) -> None:
    """
    What a transaction has read stays as it is until the transaction ends.
    """
    with client(pessimistic.address, project) as db:
        document = db.document("rooms/a")
        document.set({"n": 1})
        transaction = begin(db)
        document.get(transaction=transaction)
        order: list[str] = []

        def write() -> None:
            document.set({"n": 2})
            order.append("written")

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.2)
        order.append("committing")
        transaction.set(db.document("rooms/b"), {})
        transaction._commit()
        writer.join()

    assert order == ["committing", "written"]


def test_with_locks_a_phantom_waits(pessimistic: ParleyFirestore, project: str) -> None:
    """
    A document that would join the result of a query waits for the transaction.
    """
    with client(pessimistic.address, project) as db:
        transaction = begin(db)
        query = db.collection("rooms").where(filter=FieldFilter("n", "==", 1))
        list(query.stream(transaction=transaction))
        done = threading.Event()

        def write() -> None:
            db.document("rooms/a").set({"n": 1})
            done.set()

        writer = threading.Thread(target=write)
        writer.start()
        db.document("rooms/b").set({"n": 2})
        waited = not done.wait(0.2)
        transaction._rollback()
        writer.join()

    assert waited


def test_with_locks_a_deadlock_ends_with_an_abort(
    pessimistic: ParleyFirestore, project: str
) -> None:
    """
    Of two transactions that wait for each other one goes on at once.
    """
    with client(pessimistic.address, project) as db:
        a, b = db.document("rooms/a"), db.document("rooms/b")
        transactions = [begin(db), begin(db)]
        for transaction in transactions:
            a.get(transaction=transaction)
        outcomes: list[str] = []

        def commit(transaction: firestore.Transaction) -> None:
            transaction.set(a, {})
            transaction.set(b, {})
            try:
                transaction._commit()
                outcomes.append("committed")
            except exceptions.Aborted:
                outcomes.append("aborted")

        threads = [threading.Thread(target=commit, args=(t,)) for t in transactions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(outcomes) == ["aborted", "committed"]

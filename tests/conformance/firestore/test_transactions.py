"""Transactions: isolation, conflicts, phantoms and the past."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.conformance.firestore.servers import Client, client, running


def begin(db: Client, **options: Any) -> firestore.Transaction:
    """Return a transaction that has begun."""
    transaction: firestore.Transaction = db.transaction(**options)
    transaction._begin()
    return transaction


def test_a_transaction_reads_and_writes(db: Client) -> None:
    """
    What the callable wrote is there after the commit, and what it returned.
    """
    document = db.document("rooms/a")
    document.set({"n": 1})

    @firestore.transactional
    def double(transaction: firestore.Transaction) -> int:
        n: int = document.get(transaction=transaction).get("n")
        transaction.update(document, {"n": 2 * n})
        return n

    assert double(db.transaction()) == 1
    assert document.get().get("n") == 2


def test_a_failed_callable_writes_nothing(db: Client) -> None:
    """
    An exception rolls the transaction back.
    """
    document = db.document("rooms/a")

    @firestore.transactional
    def fail(transaction: firestore.Transaction) -> None:
        transaction.set(document, {})
        raise LookupError

    with pytest.raises(LookupError):
        fail(db.transaction())
    assert not document.get().exists


def test_a_transaction_does_not_see_its_own_writes(db: Client) -> None:
    """
    Reads come before writes; the client refuses the other order.
    """
    transaction = begin(db)
    transaction.set(db.document("rooms/a"), {})

    with pytest.raises(firestore.ReadAfterWriteError):
        db.document("rooms/a").get(transaction=transaction)
    transaction._rollback()


CONFLICTS: dict[str, Callable[[Client], Any]] = {
    "an update": lambda db: db.document("rooms/a").update({"n": 2}),
    "a delete": lambda db: db.document("rooms/a").delete(),
    "a delete and a set": lambda db: (
        db.document("rooms/a").delete(),
        db.document("rooms/a").set({"n": 1}),
    ),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_a_changed_document_aborts(ours: Client, name: str) -> None:
    """
    A commit fails if what the transaction read was changed meanwhile.
    """
    ours.document("rooms/a").set({"n": 1})
    transaction = begin(ours)
    ours.document("rooms/a").get(transaction=transaction)
    transaction.set(ours.document("rooms/b"), {})

    CONFLICTS[name](ours)

    with pytest.raises(exceptions.Aborted):
        transaction._commit()
    assert not ours.document("rooms/b").get().exists


def test_a_document_that_appeared_aborts(ours: Client) -> None:
    """
    Absence is read, too.
    """
    transaction = begin(ours)
    ours.document("rooms/a").get(transaction=transaction)
    transaction.set(ours.document("rooms/b"), {})

    ours.document("rooms/a").set({})

    with pytest.raises(exceptions.Aborted):
        transaction._commit()


PHANTOMS: dict[str, Callable[[Client], Any]] = {
    "a new result": lambda db: db.document("rooms/new").set({"n": 5}),
    "a changed result": lambda db: db.document("rooms/a").update({"m": 5}),
    "a lost result": lambda db: db.document("rooms/a").update({"n": 0}),
    "a deleted result": lambda db: db.document("rooms/a").delete(),
}


@pytest.mark.parametrize("name", PHANTOMS)
def test_a_changed_query_result_aborts(ours: Client, name: str) -> None:
    """
    A commit fails if a query of the transaction would now answer otherwise.
    """
    ours.document("rooms/a").set({"n": 5})
    transaction = begin(ours)
    query = ours.collection("rooms").where(filter=FieldFilter("n", "==", 5))
    assert len(list(query.stream(transaction=transaction))) == 1
    transaction.set(ours.document("halls/h"), {})

    PHANTOMS[name](ours)

    with pytest.raises(exceptions.Aborted):
        transaction._commit()


def test_changes_outside_of_what_was_read_do_not_abort(ours: Client) -> None:
    """
    Neither other documents nor documents that the query does not find.
    """
    ours.document("rooms/a").set({"n": 5})
    transaction = begin(ours)
    query = ours.collection("rooms").where(filter=FieldFilter("n", "==", 5)).limit(1)
    list(query.stream(transaction=transaction))
    transaction.set(ours.document("halls/h"), {})

    ours.document("rooms/b").set({"n": 4})
    ours.document("rooms/c").set({"n": 5})  # beyond the limit

    transaction._commit()
    assert ours.document("halls/h").get().exists


def test_a_counted_result_that_changed_aborts(ours: Client) -> None:
    """
    Aggregations are validated as queries are.
    """
    transaction = begin(ours)
    ours.collection("rooms").count().get(transaction=transaction)
    transaction.set(ours.document("halls/h"), {})

    ours.document("rooms/a").set({})

    with pytest.raises(exceptions.Aborted):
        transaction._commit()


def test_reads_of_a_transaction_see_one_moment(ours: Client) -> None:
    """
    Documents and queries of one transaction agree, whatever is written between.
    """
    for name in "ab":
        ours.document(f"rooms/{name}").set({"n": 1})
    transaction = begin(ours, read_only=True)
    before = ours.document("rooms/a").get(transaction=transaction)

    ours.document("rooms/b").set({"n": 2})
    ours.document("rooms/c").set({"n": 2})

    found = ours.collection("rooms").order_by("n").stream(transaction=transaction)
    assert before.get("n") == 1
    assert [(document.id, document.get("n")) for document in found] == [
        ("a", 1),
        ("b", 1),
    ]
    late = ours.document("rooms/c").get(transaction=transaction)
    assert not late.exists
    transaction._commit()


def test_a_read_only_transaction_cannot_write(db: Client) -> None:
    """
    Its commit with writes is refused.
    """
    transaction = begin(db, read_only=True)
    request = {
        "database": db._database_string,
        "transaction": transaction._id,
        "writes": [{"delete": db.document("rooms/a")._document_path}],
    }

    with pytest.raises(exceptions.InvalidArgument):
        db._firestore_api.commit(request=request)


def test_the_past_can_be_read(db: Client) -> None:
    """
    `read_time` gives documents and queries as they were.
    """
    document = db.document("rooms/a")
    document.set({"n": 1})
    time.sleep(0.01)
    then = datetime.now(UTC)
    time.sleep(0.01)
    document.set({"n": 2})
    db.document("rooms/b").set({"n": 3})

    assert document.get(read_time=then).get("n") == 1
    assert not db.document("rooms/b").get(read_time=then).exists
    found = db.collection("rooms").order_by("n").stream(read_time=then)
    assert [item.get("n") for item in found] == [1]
    assert db.collection("rooms").count().get(read_time=then)[0][0].value == 1


def test_deleted_documents_can_be_read_in_the_past(db: Client) -> None:
    """
    A delete does not reach into the past.
    """
    document = db.document("rooms/a")
    document.set({"n": 1})
    time.sleep(0.01)
    then = datetime.now(UTC)
    time.sleep(0.01)
    document.delete()

    assert document.get(read_time=then).get("n") == 1
    assert [item.id for item in db.collection("rooms").stream(read_time=then)] == ["a"]


def test_the_future_cannot_be_read(db: Client) -> None:
    """
    A read time ahead of the server's clock is refused.
    """
    with pytest.raises(exceptions.InvalidArgument):
        db.document("rooms/a").get(read_time=datetime.now(UTC) + timedelta(hours=1))


def test_rolling_back_twice_is_no_error(ours: Client) -> None:
    """
    The client rolls back transactions that a failed commit has ended already.
    """
    transaction = begin(ours)
    request = {"database": ours._database_string, "transaction": transaction._id}

    ours._firestore_api.rollback(request=request)
    ours._firestore_api.rollback(request=request)

    with pytest.raises(exceptions.InvalidArgument):
        ours.document("rooms/a").get(transaction=transaction)


def test_what_is_no_transaction_is_refused(db: Client) -> None:
    """
    Any bytes do not do as a transaction.
    """
    request = {"database": db._database_string, "transaction": b"none"}

    with pytest.raises(exceptions.InvalidArgument):
        db._firestore_api.commit(request=request)


def test_versions_survive_a_restart(tmp_path: Path, project: str) -> None:
    """
    Update times go on growing, and the past stays readable.
    """
    with running(tmp_path) as server:
        with client(server.address, project) as db:
            first = db.document("rooms/a").set({"n": 1})
            second = db.document("rooms/a").set({"n": 2})
        server.kill()
        server.start()
        with client(server.address, project) as db:
            third = db.document("rooms/a").set({"n": 3})
            past = db.document("rooms/a").get(read_time=first.update_time)

    assert first.update_time < second.update_time < third.update_time
    assert past.get("n") == 1

"""Writes: what they change, what they leave, and when they refuse."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore

from tests.conformance.firestore.servers import Client

OLD = datetime(2020, 1, 1, tzinfo=UTC)
START = {"a": 1, "m": {"x": 1, "y": 2}, "l": [1, 2]}

CHANGES: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "set replaces all": (lambda d: d.set({"b": 2}), {"b": 2}),
    "set to nothing": (lambda d: d.set({}), {}),
    "merge keeps the rest": (
        lambda d: d.set({"m": {"z": 3}}, merge=True),
        {"a": 1, "m": {"x": 1, "y": 2, "z": 3}, "l": [1, 2]},
    ),
    "merge of one field": (
        lambda d: d.set({"m": {"x": 9}}, merge=["m.x"]),
        {"a": 1, "m": {"x": 9, "y": 2}, "l": [1, 2]},
    ),
    "update of a field": (lambda d: d.update({"a": 2}), {**START, "a": 2}),
    "update of a nested field": (
        lambda d: d.update({"m.x": 9}),
        {**START, "m": {"x": 9, "y": 2}},
    ),
    "update replaces a whole map": (
        lambda d: d.update({"m": {"z": 1}}),
        {**START, "m": {"z": 1}},
    ),
    "update below a scalar": (
        lambda d: d.update({"a.b.c": 1}),
        {**START, "a": {"b": {"c": 1}}},
    ),
    "delete of a field": (
        lambda d: d.update({"a": firestore.DELETE_FIELD}),
        {"m": {"x": 1, "y": 2}, "l": [1, 2]},
    ),
    "delete of a nested field": (
        lambda d: d.update({"m.x": firestore.DELETE_FIELD}),
        {**START, "m": {"y": 2}},
    ),
    "delete of an absent field": (
        lambda d: d.update({"q.r": firestore.DELETE_FIELD}),
        START,
    ),
    "increment": (lambda d: d.update({"a": firestore.Increment(2)}), {**START, "a": 3}),
    "increment by a double": (
        lambda d: d.update({"a": firestore.Increment(0.5)}),
        {**START, "a": 1.5},
    ),
    "increment of nothing": (
        lambda d: d.update({"q": firestore.Increment(2)}),
        {**START, "q": 2},
    ),
    "increment of a list": (
        lambda d: d.update({"l": firestore.Increment(2)}),
        {**START, "l": 2},
    ),
    "increment stops at the greatest": (
        lambda d: d.update({"a": firestore.Increment(2**63 - 1)}),
        {**START, "a": 2**63 - 1},
    ),
    "maximum takes the greater": (
        lambda d: d.update({"a": firestore.Maximum(5)}),
        {**START, "a": 5},
    ),
    "maximum keeps the greater": (
        lambda d: d.update({"a": firestore.Maximum(-5)}),
        START,
    ),
    "minimum takes the less": (
        lambda d: d.update({"a": firestore.Minimum(-5)}),
        {**START, "a": -5},
    ),
    "minimum of nothing": (
        lambda d: d.update({"q": firestore.Minimum(5)}),
        {**START, "q": 5},
    ),
    "union adds what is missing": (
        lambda d: d.update({"l": firestore.ArrayUnion([2, 3, 3])}),
        {**START, "l": [1, 2, 3]},
    ),
    "union of equal numbers": (
        lambda d: d.update({"l": firestore.ArrayUnion([1.0])}),
        START,
    ),
    "union on a scalar": (
        lambda d: d.update({"a": firestore.ArrayUnion([1])}),
        {**START, "a": [1]},
    ),
    "remove takes all equal ones": (
        lambda d: d.update({"l": firestore.ArrayRemove([1.0, 7])}),
        {**START, "l": [2]},
    ),
    "remove from nothing": (
        lambda d: d.update({"q": firestore.ArrayRemove([1])}),
        {**START, "q": []},
    ),
    "transform in a nested field": (
        lambda d: d.update({"m.x": firestore.Increment(1)}),
        {**START, "m": {"x": 2, "y": 2}},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_write_changes_just_what_it_says(db: Client, name: str) -> None:
    """
    After a write the document is what it was, but for what the write names.
    """
    change, expected = CHANGES[name]
    document = db.document("rooms/a")
    document.set(START)

    change(document)

    assert document.get().to_dict() == expected


REFUSALS: dict[str, tuple[Callable[[Client], Any], type[Exception]]] = {
    "create of what exists": (
        lambda db: db.document("rooms/a").create({}),
        exceptions.AlreadyExists,
    ),
    "update of what is absent": (
        lambda db: db.document("rooms/absent").update({"a": 1}),
        exceptions.NotFound,
    ),
    "delete of what must exist": (
        lambda db: db.document("rooms/absent").delete(db.write_option(exists=True)),
        exceptions.NotFound,
    ),
    "update at another time": (
        lambda db: db.document("rooms/a").update(
            {"a": 2}, db.write_option(last_update_time=OLD)
        ),
        exceptions.FailedPrecondition,
    ),
    "update at a time of what is absent": (
        lambda db: db.document("rooms/absent").update(
            {"a": 2}, db.write_option(last_update_time=OLD)
        ),
        exceptions.FailedPrecondition,
    ),
    "delete at another time": (
        lambda db: db.document("rooms/a").delete(db.write_option(last_update_time=OLD)),
        exceptions.FailedPrecondition,
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_failed_precondition_changes_nothing(db: Client, name: str) -> None:
    """
    A write whose precondition fails is refused with its own error.
    """
    call, error = REFUSALS[name]
    db.document("rooms/a").set(START)

    with pytest.raises(error):
        call(db)

    assert db.document("rooms/a").get().to_dict() == START
    assert not db.document("rooms/absent").get().exists


def test_an_update_at_the_right_time_succeeds(db: Client) -> None:
    """
    The update time of the last write is the precondition of the next.
    """
    document = db.document("rooms/a")
    written = document.set(START)

    option = db.write_option(last_update_time=written.update_time)
    document.update({"a": 2}, option)

    assert document.get().get("a") == 2


def test_a_batch_is_applied_wholly_or_not_at_all(db: Client) -> None:
    """
    One failing write of a batch undoes the others.
    """
    batch = db.batch()
    batch.set(db.document("rooms/new"), {})
    batch.update(db.document("rooms/absent"), {"a": 1})

    with pytest.raises(exceptions.NotFound):
        batch.commit()

    assert not db.document("rooms/new").get().exists


def test_a_batch_sees_its_own_writes(db: Client) -> None:
    """
    Later writes of one batch work on what earlier ones left.
    """
    document = db.document("rooms/a")
    batch = db.batch()
    batch.set(document, {"n": 1})
    batch.update(document, {"n": firestore.Increment(1)})
    batch.update(document, {"n": firestore.Increment(1), "m": 1})

    results = batch.commit()

    assert document.get().to_dict() == {"n": 3, "m": 1}
    assert len({result.update_time for result in results}) == 1


def test_a_write_that_changes_nothing_keeps_the_update_time(
    db: Client,
) -> None:
    """
    The update time is that of the last change, not of the last write.
    """
    first = db.document("rooms/a").set(START)

    again = db.document("rooms/a").set(START)

    assert again.update_time == first.update_time
    assert db.document("rooms/a").get().update_time == first.update_time


def test_create_time_lasts_until_the_document_is_deleted(db: Client) -> None:
    """
    Updates keep the create time; a document that is made again has a new one.
    """
    document = db.document("rooms/a")
    document.set({"n": 1})
    created = document.get().create_time
    document.set({"n": 2})
    kept = document.get()
    document.delete()
    document.set({"n": 3})

    assert kept.create_time == created
    assert kept.update_time > created
    assert document.get().create_time > created


def test_server_timestamps_of_one_commit_are_equal(db: Client) -> None:
    """
    Every server timestamp of a commit is the one time of the request.
    """
    batch = db.batch()
    for name in ("a", "b"):
        batch.set(db.document(f"rooms/{name}"), {"t": firestore.SERVER_TIMESTAMP})
    batch.commit()

    times = [db.document(f"rooms/{name}").get().get("t") for name in ("a", "b")]
    assert times[0] == times[1]
    assert abs((datetime.now(UTC) - times[0]).total_seconds()) < 10


def test_transforms_return_their_results(db: Client) -> None:
    """
    A numeric transform tells the new value; an array transform tells null.
    """
    result = db.document("rooms/a").set(
        {"n": firestore.Increment(7), "l": firestore.ArrayUnion([1])}
    )

    kinds = {value._pb.WhichOneof("value_type") for value in result.transform_results}
    assert kinds == {"integer_value", "null_value"}


def test_deleting_what_is_absent_is_no_error(db: Client) -> None:
    """
    A delete without precondition always succeeds.
    """
    db.document("rooms/absent").delete()

    assert not db.document("rooms/absent").get().exists


def test_a_document_outlives_its_parent(db: Client) -> None:
    """
    Deleting a document leaves the documents below it.
    """
    db.document("rooms/a").set({})
    db.document("rooms/a/people/b").set({"n": 1})

    db.document("rooms/a").delete()

    assert db.document("rooms/a/people/b").get().get("n") == 1


def test_databases_do_not_see_each_other(db: Client) -> None:
    """
    A project has its own documents.
    """
    db.document("rooms/a").set({})
    other = firestore.Client(
        project="demo-elsewhere", credentials=db._credentials, database="(default)"
    )
    other._emulator_host = db._emulator_host

    assert not other.document("rooms/a").get().exists
    other._firestore_api.transport.close()


def test_field_names_may_hold_any_character(db: Client) -> None:
    """
    Quoted field paths reach fields with dots, backquotes and spaces in their names.
    """
    document = db.document("rooms/a")
    document.set({"a.b": 1, "c`d": 2, "e f": 3, "7": 4, "é": 5})

    document.update({"`a.b`": 10, "`c\\`d`": 20})

    expected = {"a.b": 10, "c`d": 20, "e f": 3, "7": 4, "é": 5}
    assert document.get().to_dict() == expected
    assert document.get(field_paths=["`e f`"]).to_dict() == {"e f": 3}

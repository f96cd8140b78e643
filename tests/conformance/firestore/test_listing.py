"""What exists below a path, in bulk: listing, bulk writes, recursive delete, async."""

from datetime import UTC, datetime
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore

from tests.conformance.firestore.servers import Client, async_client


@pytest.fixture
def tree(db: Client) -> Client:
    """Documents at several depths; rooms/gone has only documents below it."""
    for path in (
        "rooms/a",
        "rooms/a/people/x",
        "rooms/a/people/y",
        "rooms/a/notes/n",
        "rooms/b",
        "rooms/gone/people/z",
        "halls/h",
    ):
        db.document(path).set({"path": path})
    return db


def test_collections_of_the_root(tree: Client) -> None:
    """
    Each collection with a document anywhere below it is listed once, in order.
    """
    assert [found.id for found in tree.collections()] == ["halls", "rooms"]


def test_collections_of_a_document(tree: Client) -> None:
    """
    Also of a document that does not exist itself.
    """
    assert [c.id for c in tree.document("rooms/a").collections()] == ["notes", "people"]
    assert [c.id for c in tree.document("rooms/gone").collections()] == ["people"]
    assert [c.id for c in tree.document("rooms/b").collections()] == []


def test_listed_documents_include_missing_ones(tree: Client) -> None:
    """
    A name that only has documents below it is listed, as it can be gone into.
    """
    found = tree.collection("rooms").list_documents()

    assert [document.id for document in found] == ["a", "b", "gone"]


@pytest.mark.parametrize("size", [1, 2, 10])
def test_listed_documents_come_in_pages(tree: Client, size: int) -> None:
    """
    Pages of any size hold everything once.
    """
    found = tree.collection("rooms").list_documents(page_size=size)

    assert [document.id for document in found] == ["a", "b", "gone"]


def list_raw(db: Client, **options: Any) -> Any:
    """Return a raw page of the documents in rooms."""
    return db._firestore_api.list_documents(
        request={
            "parent": f"{db._database_string}/documents",
            "collection_id": "rooms",
            **options,
        }
    )


def test_listed_documents_can_be_masked(tree: Client) -> None:
    """
    A mask leaves out fields; without `show_missing` only real documents come.
    """
    page = list_raw(tree, mask={"field_paths": ["none"]})

    assert [document.name.rsplit("/", 1)[1] for document in page] == ["a", "b"]
    assert not any(document.fields for document in list_raw(tree, mask={}))


def test_many_documents_are_read_at_once(tree: Client) -> None:
    """
    `get_all` answers for each document, found or missing.
    """
    references = [tree.document(f"rooms/{name}") for name in ("a", "gone", "b", "q")]

    found = {snapshot.id: snapshot.exists for snapshot in tree.get_all(references)}

    assert found == {"a": True, "gone": False, "b": True, "q": False}


def test_chosen_fields_are_read(tree: Client) -> None:
    """
    A get with a mask returns those fields alone.
    """
    tree.document("rooms/a").set({"a": 1, "b": {"c": 2, "d": 3}})

    assert tree.document("rooms/a").get(["b.c"]).to_dict() == {"b": {"c": 2}}


def test_recursive_delete_takes_all_below(tree: Client) -> None:
    """
    A collection goes with everything below it, and nothing beside it.
    """
    deleted = tree.recursive_delete(tree.collection("rooms"))

    assert deleted == 6
    assert [found.id for found in tree.collections()] == ["halls"]


def test_recursive_delete_of_a_document(tree: Client) -> None:
    """
    A document goes with everything below it; its siblings stay.
    """
    tree.recursive_delete(tree.document("rooms/a"))

    left = [document.id for document in tree.collection("rooms").list_documents()]
    assert left == ["b", "gone"]


def test_recursive_delete_spares_longer_names(db: Client) -> None:
    """
    `rooms` does not reach into `rooms2` or `room`.
    """
    for path in ("room/a", "rooms/a", "rooms2/a", "rooms-x/a"):
        db.document(path).set({})

    db.recursive_delete(db.collection("rooms"))

    assert [found.id for found in db.collections()] == ["room", "rooms-x", "rooms2"]


def test_a_bulk_writer_writes_each_by_itself(db: Client) -> None:
    """
    Hundreds of writes arrive, and one that fails does not fail the others.
    """
    failed: list[str] = []
    db.document("rooms/r7").set({})
    writer = db.bulk_writer()

    def note(error: Any, _: Any) -> bool:
        failed.append(error.operation.reference.id)
        return False

    writer.on_write_error(note)
    for number in range(200):
        writer.create(db.document(f"rooms/r{number}"), {"n": number})
    writer.close()

    assert failed == ["r7"]
    assert db.collection("rooms").count().get()[0][0].value == 200
    assert db.document("rooms/r199").get().get("n") == 199


def test_batch_write_tells_the_status_of_each(ours: Client) -> None:
    """
    A status for each write, in order.
    """
    name = ours.document("rooms/a")._document_path
    exists = {"current_document": {"exists": True}}

    answer = ours._firestore_api.batch_write(
        request={
            "database": ours._database_string,
            "writes": [
                {"update": {"name": name, "fields": {}}},
                {"delete": f"{name}x", **exists},
            ],
        }
    )

    assert [status.code for status in answer.status] == [0, 5]
    assert len(answer.write_results) == 2


async def test_the_async_client_works(address: str, project: str) -> None:
    """
    Writes, reads, queries, counts and transactions of AsyncClient.
    """
    async with async_client(address, project) as db:
        document = db.document("rooms/a")
        await document.set({"n": 1})

        @firestore.async_transactional
        async def increment(transaction: firestore.AsyncTransaction) -> None:
            found = await document.get(transaction=transaction)
            transaction.update(document, {"n": found.get("n") + 1})

        await increment(db.transaction())
        found = [item.to_dict() async for item in db.collection("rooms").stream()]
        count = await db.collection("rooms").count().get()
        collections = [item.id async for item in db.collections()]

    assert found == [{"n": 2}]
    assert count[0][0].value == 1
    assert collections == ["rooms"]


async def test_errors_reach_the_async_client(address: str, project: str) -> None:
    """
    With the same classes.
    """
    async with async_client(address, project) as db:
        with pytest.raises(exceptions.NotFound):
            await db.document("rooms/a").update({"n": 1})


def test_collections_of_the_past(db: Client) -> None:
    """
    A read time also holds for listing.
    """
    written = db.document("halls/h").set({})
    db.document("rooms/a").set({})

    found = db.collections(read_time=written.update_time)

    assert [collection.id for collection in found] == ["halls"]
    assert written.update_time < datetime.now(UTC)

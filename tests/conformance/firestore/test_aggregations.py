"""Count, sum and average."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.conformance.firestore.servers import Client


@pytest.fixture
def rooms(db: Client) -> Any:
    """Numbers, and what is no number, in the field n."""
    values = (1, 2, 2.5, None, "x", [1])
    for number, value in enumerate(values):
        db.document(f"rooms/r{number}").set({"n": value, "k": number})
    db.document("rooms/without").set({"k": 9})
    return db.collection("rooms")


def values(query: Any) -> list[Any]:
    """Return the values of the only result."""
    return [item.value for item in query.get()[0]]


def test_a_count_counts_documents(rooms: Any) -> None:
    """
    Whatever they hold.
    """
    assert values(rooms.count()) == [7]


def test_a_sum_adds_numbers_and_skips_the_rest(rooms: Any) -> None:
    """
    Null, text and lists add nothing.
    """
    assert values(rooms.sum("n")) == [5.5]


def test_an_average_is_over_numbers_alone(rooms: Any) -> None:
    """
    What is no number does not count as zero.
    """
    assert values(rooms.avg("n")) == [pytest.approx(5.5 / 3)]


def test_a_sum_of_integers_is_an_integer(rooms: Any) -> None:
    """
    No rounding through doubles.
    """
    for number in range(2):
        rooms.document(f"big{number}").set({"big": 2**60 + 1})

    assert values(rooms.sum("big")) == [2**61 + 2]


def test_a_sum_beyond_64_bits_is_a_double(rooms: Any) -> None:
    """
    It does not wrap around.
    """
    for number in range(2):
        rooms.document(f"big{number}").set({"big": 2**63 - 1})

    assert values(rooms.sum("big")) == [float(2**64)]


def test_nothing_to_aggregate(db: Client) -> None:
    """
    Over no documents a count and a sum are zero.
    """
    nowhere = db.collection("nowhere")

    assert values(nowhere.count()) == [0]
    assert values(nowhere.sum("n")) == [0]


def test_several_at_once_count_only_documents_with_the_field(rooms: Any) -> None:
    """
    A count beside a sum counts the documents that have the summed field.
    """
    query = rooms.count("count").sum("n", "sum").avg("n", "avg")

    found = {item.alias: item.value for item in query.get()[0]}
    assert found == {"count": 6, "sum": 5.5, "avg": pytest.approx(5.5 / 3)}


def test_a_limit_limits_what_is_counted(rooms: Any) -> None:
    """
    An aggregation is over the query's results, its limit included.
    """
    assert values(rooms.limit(3).count()) == [3]
    assert values(rooms.offset(5).count()) == [2]


def test_a_filter_limits_what_is_counted(rooms: Any) -> None:
    """
    Counting works from the index of the filtered field.
    """
    query = rooms.where(filter=FieldFilter("k", ">", 3))

    assert values(query.count()) == [3]


@pytest.mark.parametrize("up_to", [1, 3, 100])
def test_a_count_may_stop_early(rooms: Any, up_to: int) -> None:
    """
    `up_to` bounds the count.
    """
    client = rooms._client
    request = {
        "parent": f"{client._database_string}/documents",
        "structured_aggregation_query": {
            "structured_query": {"from_": [{"collection_id": "rooms"}]},
            "aggregations": [{"alias": "n", "count": {"up_to": {"value": up_to}}}],
        },
    }

    (answer,) = client._firestore_api.run_aggregation_query(request=request)

    assert answer.result.aggregate_fields["n"].integer_value == min(7, up_to)


def test_an_alias_is_used_once(rooms: Any) -> None:
    """
    Two results cannot have one name.
    """
    with pytest.raises(exceptions.InvalidArgument):
        rooms.count("n").count("n").get()


def test_five_aggregations_are_the_most(ours: Client) -> None:
    """
    Production refuses a sixth; Google's emulator answers with an internal error.
    """
    query: Any = ours.collection("rooms").count("a")
    for alias in "bcde":
        query = query.count(alias)
    assert [item.value for item in query.get()[0]] == [0] * 5

    with pytest.raises(exceptions.InvalidArgument):
        query.count("f").get()

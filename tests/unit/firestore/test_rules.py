"""Pure rules: field paths, filters in normal form, transforms, watches, costs."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.firestore.contention import HOT_S, Contention
from infra.local.firestore.documents import StoredDocument
from infra.local.firestore.errors import StatusError
from infra.local.firestore.fields import format_field_path, parse_field_path
from infra.local.firestore.filters import (
    Filter,
    Junction,
    Op,
    Term,
    compile_filter,
    disjuncts,
)
from infra.local.firestore.limits import document_bytes
from infra.local.firestore.locks import Change
from infra.local.firestore.operations import Kind, OperationCounter, difference
from infra.local.firestore.paths import Path
from infra.local.firestore.protocol import Document, StructuredQuery, Value
from infra.local.firestore.queries import Query, parse_query
from infra.local.firestore.tokens import make_token, read_token
from infra.local.firestore.transactions import Locking, Transactions
from infra.local.firestore.values import encode
from infra.local.firestore.watches import LimitWatch

TIMELESS = settings(deadline=None)  # other work on the machine is no failure

DATABASE = "projects/demo/databases/(default)"
ROOT = f"{DATABASE}/documents"
PARTS = st.text(
    alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=5
)


class Clock:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@TIMELESS
@given(st.lists(PARTS, min_size=1, max_size=4))
def test_field_paths_are_read_as_written(parts: list[str]) -> None:
    """
    Quoting keeps dots, backquotes, backslashes and any other character.
    """
    path = tuple(parts)

    assert parse_field_path(format_field_path(path)) == path


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "1a", "a b", "`a", "a-b"]
)
def test_malformed_field_paths_are_refused(text: str) -> None:
    """
    As production does.
    """
    with pytest.raises(StatusError):
        parse_field_path(text)


def number(value: int) -> bytes:
    """Return an encoded integer."""
    return encode(Value(integer_value=value))


TERMS = st.builds(
    lambda name, op, values: Term(
        (name,), op, tuple(map(number, values if op is Op.IN else values[:1])), ()
    ),
    st.sampled_from("abc"),
    st.sampled_from([Op.EQUAL, Op.IN, Op.LESS_THAN, Op.NOT_EQUAL]),
    st.lists(st.integers(0, 3), min_size=1, max_size=3),
)
FILTERS = st.recursive(
    TERMS,
    lambda inner: st.builds(
        lambda conjunctive, parts: Junction(conjunctive, tuple(parts)),
        st.booleans(),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)


@TIMELESS
@given(FILTERS, st.dictionaries(st.sampled_from("abc"), st.integers(0, 3)))
def test_the_normal_form_means_the_same(
    filter_: Filter, fields: dict[str, int]
) -> None:
    """
    A document matches a filter just if it matches one of its alternatives.
    """
    document = Document()
    for name, value in fields.items():
        document.fields[name].integer_value = value

    alternatives = [
        all(compile_filter(term)(b"", document.fields) for term in conjunction)
        for conjunction in disjuncts(filter_)
    ]

    assert compile_filter(filter_)(b"", document.fields) == any(alternatives)


def room(id_: str, n: int, version: int) -> StoredDocument:
    """Return a version of a room."""
    document = Document()
    document.fields["n"].integer_value = n
    path = Path(DATABASE, ("rooms", id_))
    return StoredDocument.build(path, document.fields, created_us=1, updated_us=version)


def limited(limit: int) -> Query:
    """Return the query for the first rooms by n."""
    message = StructuredQuery()
    message.from_.add(collection_id="rooms")
    message.order_by.add().field.field_path = "n"
    message.limit.value = limit
    return parse_query(ROOT, message)


CHANGES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.one_of(st.none(), st.integers(0, 5))),
    max_size=30,
)


@TIMELESS
@given(CHANGES, st.integers(1, 3), st.integers(1, 4))
def test_a_limit_watch_tells_what_running_again_would(
    changes: list[tuple[str, int | None]], limit: int, group: int
) -> None:
    """
    After any changes, in groups of any size, the told state is the query's result.
    """
    query = limited(limit)
    stored: dict[bytes, StoredDocument] = {}
    told: dict[bytes, StoredDocument] = {}

    def run() -> list[StoredDocument]:
        placed = [(query.position(d) or (), d.key, d) for d in stored.values()]
        return [document for _, _, document in sorted(placed, key=lambda p: p[:2])][
            :limit
        ]

    watch = LimitWatch(query, run)
    for start in range(0, len(changes), group):
        batch = []
        for version, (id_, n) in enumerate(changes[start : start + group], start + 2):
            key = Path(DATABASE, ("rooms", id_)).key()
            after = None if n is None else room(id_, n, version)
            batch.append((Change(key, stored.get(key), after), version))
            if after is None:
                stored.pop(key, None)
            else:
                stored[key] = after
        events = [event for change in batch for event in watch.apply(*change)]
        for event in (*events, *watch.settle(99)):
            if event.document is None:
                told.pop(event.key, None)
            else:
                told[event.key] = event.document
        assert {key: d.updated_us for key, d in told.items()} == {
            document.key: document.updated_us for document in run()
        }


def test_sizes_are_those_of_the_documentation() -> None:
    """
    The example of Google's page on storage size: 147 bytes.
    """
    fields = Document().fields
    fields["type"].string_value = "Personal"
    fields["done"].boolean_value = False
    fields["priority"].integer_value = 1
    fields["description"].string_value = "Learn Cloud Firestore"
    path = Path(DATABASE, ("users", "jeff", "tasks", "my_task_id"))

    assert document_bytes(path, fields) == 147


def test_aggregations_cost_a_read_for_each_started_thousand() -> None:
    """
    At least one read, also over nothing.
    """
    counter = OperationCounter()
    for entries in (0, 1, 1000, 1001):
        counter.add_aggregation("rooms", entries)

    assert counter.snapshot()["reads"] == 1 + 1 + 1 + 2


def test_a_difference_leaves_out_what_was_not_used() -> None:
    """
    Only collections with operations in between are in it.
    """
    counter = OperationCounter()
    counter.add(Kind.READS, "rooms", 3)
    before = counter.snapshot()
    counter.add(Kind.WRITES, "people", 2)

    assert difference(before, counter.snapshot()) == {
        "reads": 0,
        "writes": 2,
        "deletes": 0,
        "collections": {"people": {"reads": 0, "writes": 2, "deletes": 0}},
    }


def test_tokens_name_a_version_of_one_database() -> None:
    """
    A token of other data names nothing; what is no token is refused.
    """
    token = make_token(7, 123)

    assert read_token(token, 7) == 123
    assert read_token(token, 8) is None
    with pytest.raises(StatusError):
        read_token(b"none", 7)


def test_idle_transactions_expire() -> None:
    """
    After 60 s without a call, as in production.
    """
    clock = Clock()
    table = Transactions(pessimistic=False, now_s=clock)
    transaction = table.begin()

    clock.now_s = 60.5

    with pytest.raises(StatusError):
        table.get(transaction.id)


def test_long_transactions_expire() -> None:
    """
    After 270 s in all, however busy they are.
    """
    clock = Clock()
    table = Transactions(pessimistic=False, now_s=clock)
    transaction = table.begin()
    for now_s in range(0, 271, 30):
        clock.now_s = now_s
        table.get(transaction.id)

    clock.now_s = 270.5

    with pytest.raises(StatusError):
        table.get(transaction.id)


def test_a_retry_locks_and_keeps_its_age() -> None:
    """
    So that an old transaction wins against younger ones.
    """
    table = Transactions(pessimistic=False, now_s=Clock())
    first, other = table.begin(), table.begin()

    retry = table.begin(retried=first.id)

    assert (retry.locking, retry.age) == (Locking.EXCLUSIVE, first.age)
    assert other.age > retry.age


def test_locks_of_a_silent_retry_lapse() -> None:
    """
    A client that died between two calls does not hold others up for long.
    """
    clock = Clock()
    table = Transactions(pessimistic=False, now_s=clock)
    retry = table.begin(retried=table.begin().id)
    assert list(table.holders()) == [retry]

    clock.now_s = 2.5

    assert list(table.holders()) == []
    assert table.get(retry.id) is retry


def test_contention_is_forgotten() -> None:
    """
    What was contended is read without locks again a moment later.
    """
    clock = Clock()
    contention = Contention(clock)
    contention.mark([b"a"])
    assert contention.is_hot([b"b", b"a"])

    clock.now_s = HOT_S + 0.1

    assert not contention.is_hot([b"a"])

"""The queue of due times behind reports and deadlines."""

from hypothesis import given
from hypothesis import strategies as st

from media_worker.transport.turns import Turns


def test_keys_come_when_due_earliest_first() -> None:
    """
    Only what is due is taken, in order, up to the limit.
    """
    turns: Turns[str] = Turns()
    for key, due_s in (("c", 3.0), ("a", 1.0), ("b", 2.0), ("d", 9.0)):
        turns.set(key, due_s)

    assert turns.take_due(5.0, limit=2) == ["a", "b"]
    assert turns.next_s() == 3.0
    assert turns.take_due(5.0, limit=9) == ["c"]
    assert turns.next_s() == 9.0


def test_setting_again_replaces_and_dropping_forgets() -> None:
    """
    A key has one due time, the latest set, or none.
    """
    turns: Turns[str] = Turns()
    turns.set("a", 1.0)
    turns.set("a", 5.0)
    turns.set("b", 2.0)
    turns.drop("b")
    turns.drop("unknown")

    assert turns.take_due(4.0, limit=9) == []
    assert turns.take_due(5.0, limit=9) == ["a"]
    assert turns.next_s() is None


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 100)), max_size=50))
def test_every_key_comes_once(settings: list[tuple[int, float]]) -> None:
    """
    However often keys are set, each comes once, in the order of its last time.
    """
    turns: Turns[int] = Turns()
    last = {}
    for key, due_s in settings:
        turns.set(key, due_s)
        last[key] = due_s

    taken = turns.take_due(100.0, limit=99)

    assert sorted(taken) == sorted(last)
    assert [last[key] for key in taken] == sorted(last.values())

"""When a worker is looked after."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from spaces.domain.watch import WATCH_INTERVAL_S, next_check
from spaces_contract.ids import SpaceId
from tests.builders import NOW, SPACE_ID

space_ids = st.from_regex(r"[1-9A-Za-z]{13}", fullmatch=True).map(SpaceId)
seconds = st.floats(min_value=0, max_value=10**8, allow_nan=False)


@given(space_ids, seconds)
def test_a_look_is_due_within_the_interval(space_id: SpaceId, after_s: float) -> None:
    """
    The next look is later than now, and at most 5 s later.
    """
    now = NOW + timedelta(seconds=after_s)

    due_s = (next_check(space_id, epoch=1, now=now).at - now).total_seconds()

    assert 0 < due_s <= WATCH_INTERVAL_S + 0.001


@given(space_ids, seconds)
def test_looks_are_numbered_without_gaps(space_id: SpaceId, after_s: float) -> None:
    """
    Asked again at the time of look n, the next one is n + 1, 5 s later.
    """
    first = next_check(space_id, epoch=1, now=NOW + timedelta(seconds=after_s))

    second = next_check(space_id, epoch=1, now=first.at)

    assert second.n == first.n + 1
    assert (second.at - first.at).total_seconds() == WATCH_INTERVAL_S


def test_everybody_who_asks_in_between_names_the_same_look() -> None:
    """
    Two chains for one epoch run into one; another epoch has its own.
    """
    look = next_check(SPACE_ID, epoch=1, now=NOW)
    again = next_check(SPACE_ID, epoch=1, now=look.at - timedelta(milliseconds=2))

    assert again.name == look.name == f"watchdog-{SPACE_ID}-1-{look.n}"
    assert next_check(SPACE_ID, epoch=2, now=NOW).name != look.name

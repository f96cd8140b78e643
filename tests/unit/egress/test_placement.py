"""Where listeners go."""

import pytest

from media_worker.egress.processes.placement import (
    Limits,
    Load,
    place,
    processes_wanted,
)

LIMITS = Limits(room=200, egress=2_500, processes=3)
READY, STARTING = True, False


@pytest.mark.parametrize(
    ("room", "egresses", "expected"),
    [
        (0, [], None),
        (199, [Load(READY, 0)], None),
        (200, [], None),
        (200, [Load(STARTING, 0)], None),
        (200, [Load(READY, 0)], 0),
        (900, [Load(READY, 4_000)], 0),
        (200, [Load(READY, 30), Load(READY, 20)], 1),
        (200, [Load(READY, 30), Load(STARTING, 0)], 0),
        (200, [Load(STARTING, 0), Load(READY, 9), Load(READY, 8)], 2),
    ],
)
def test_a_listener_goes_to_the_emptiest_process_that_is_ready(
    room: int, egresses: list[Load], expected: int | None
) -> None:
    """
    The room's own is filled first, and never waits for one that starts.
    """
    assert place(room, egresses, LIMITS) == expected


@pytest.mark.parametrize(
    ("listeners", "expected"),
    [
        (0, 0),
        (179, 0),
        (180, 1),
        (2_429, 1),
        (2_430, 2),
        (4_680, 3),
        (50_000, 3),
    ],
)
def test_processes_start_before_they_are_needed(listeners: int, expected: int) -> None:
    """
    At nine tenths of what there is room for; never more than ports.
    """
    assert processes_wanted(listeners, LIMITS) == expected


def test_a_room_without_further_ports_starts_nothing() -> None:
    """
    Everybody stays in its own process.
    """
    assert processes_wanted(5_000, Limits(room=200, processes=0)) == 0

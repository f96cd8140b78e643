"""Where a stream's packets are placed, and which of them are known to have come."""

import pytest

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.stream_timeline import (
    MAX_DROPOUT,
    MAX_MISORDER,
    StreamTimeline,
)
from tests.audio import BLOCK
from tests.network import SILK_20_MS

SSRC = 7
LAST_SEQUENCE = 65_535
LAST_AT = 2**32 - BLOCK


def a_packet(sequence: int, at: int, *, ssrc: int = SSRC) -> ReceivedPacket:
    """Return a packet with the numbers that the wire has room for."""
    return ReceivedPacket(
        ssrc=ssrc,
        sequence_number=sequence & 0xFFFF,
        timestamp=at & 0xFFFF_FFFF,
        payload=SILK_20_MS,
        level_dbov=None,
        arrival_s=0.0,
    )


def a_timeline() -> StreamTimeline:
    """Return that of a stream whose next packet has wrapped."""
    return StreamTimeline(SSRC, sequence=LAST_SEQUENCE, at=LAST_AT)


@pytest.mark.parametrize("packets", [-2, -1, 0, 1, 2, 30])
def test_numbers_go_on_where_the_wire_begins_anew(packets: int) -> None:
    """
    Before and behind the wrap, a packet is as far away as it was sent.
    """
    sequence, at = LAST_SEQUENCE + packets, LAST_AT + packets * BLOCK

    assert a_timeline().place(a_packet(sequence, at)) == (sequence, at)


@pytest.mark.parametrize(
    ("packet", "at"),
    [
        (a_packet(LAST_SEQUENCE + 1, LAST_AT + BLOCK), LAST_AT + BLOCK),
        (a_packet(LAST_SEQUENCE + 1, LAST_AT + 48_000), LAST_AT + 48_000),
        (a_packet(LAST_SEQUENCE + 1, LAST_AT + 48_001), None),
        (a_packet(LAST_SEQUENCE + 1, LAST_AT - BLOCK), None),
        (a_packet(LAST_SEQUENCE + 2, LAST_AT + BLOCK), None),
        (a_packet(LAST_SEQUENCE, LAST_AT), None),
        (a_packet(LAST_SEQUENCE + 1, LAST_AT + BLOCK, ssrc=8), None),
    ],
)
def test_the_next_one_is_told_from_all_others(
    packet: ReceivedPacket, at: int | None
) -> None:
    """
    It has the next number, begins within a second, and is of the same stream.
    """
    assert a_timeline().next_at(packet) == at


def test_what_has_come_is_remembered_for_a_while() -> None:
    """
    In whatever order it came; what is older than that is not known to have come.
    """
    timeline = a_timeline()
    first = LAST_SEQUENCE
    timeline.note(first, LAST_AT)
    timeline.note(first + 3, LAST_AT + 3 * BLOCK)
    timeline.note(first + 1, LAST_AT + BLOCK)

    assert [timeline.has_come(first + n) for n in range(5)] == [
        True,
        True,
        False,
        True,
        False,
    ]
    assert timeline.follow(LAST_AT + 4 * BLOCK) == first + 4
    timeline.note(first + MAX_MISORDER, LAST_AT + MAX_MISORDER * BLOCK)
    assert timeline.has_come(first + 4)
    assert not timeline.has_come(first)


@pytest.mark.parametrize(
    ("ahead", "belongs"),
    [
        (-MAX_MISORDER, False),
        (1 - MAX_MISORDER, True),
        (MAX_DROPOUT - 1, True),
        (MAX_DROPOUT, False),
    ],
)
def test_far_numbers_are_another_timelines(ahead: int, belongs: bool) -> None:
    """
    RFC 3550 A.1: too far behind or ahead, a sender has begun anew.
    """
    assert a_timeline().belongs(LAST_SEQUENCE + ahead) is belongs

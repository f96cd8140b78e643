"""What a relay makes of a feed that loses, reorders and repeats."""

import pytest

from media_worker.relay.feed_order import FeedOrder, FeedPacket

OPUS_20_MS = bytes([0x78, 1, 2, 3])  # hybrid, 20 ms, one frame
OPUS_60_MS = bytes([0x18, 1, 2, 3])  # SILK, 60 ms, one frame


def a_packet(number: int, payload: bytes = OPUS_20_MS) -> FeedPacket:
    """Return the packet with that sequence number, and the time that goes with it."""
    return FeedPacket(
        sequence_number=number % 65_536,
        timestamp=number * 960 % 2**32,
        payload=payload,
        csrcs=(number,),
    )


@pytest.mark.parametrize(
    ("numbers", "sent"),
    [
        ([1, 2, 3], [(1, 0), (2, 0), (3, 0)]),
        ([65_535, 65_536, 65_537], [(65_535, 0), (65_536, 0), (65_537, 0)]),
        ([1, 3, 2, 4], [(1, 0), (2, 0), (3, 0), (4, 0)]),
        ([1, 3, 4, 5], [(1, 0), (3, 1), (4, 0), (5, 0)]),
        ([1, 3, 4, 2, 5], [(1, 0), (3, 1), (4, 0), (5, 0)]),
        ([1, 4, 3, 5], [(1, 0), (3, 1), (4, 0), (5, 0)]),
        ([1, 3, 6, 7], [(1, 0), (3, 1), (6, 2), (7, 0)]),
        ([1, 1, 2], [(1, 0), (2, 0)]),
        ([1, 3, 3, 2, 4], [(1, 0), (3, 1), (4, 0)]),
        ([1, 5_000, 5_001], [(1, 0), (5_000, 0), (5_001, 0)]),
    ],
)
def test_frames_leave_in_order_and_tell_of_gaps(
    numbers: list[int], sent: list[tuple[int, int]]
) -> None:
    """
    Each frame says how many packets are missing before it, and none is sent twice.
    """
    order = FeedOrder()

    frames = [frame for n in numbers for frame in order.take(a_packet(n))]

    assert [(frame.csrcs[0], frame.skipped) for frame in frames] == sent
    assert [frame.timestamp for frame in frames] == [n * 960 for n, _ in sent]


def test_losses_and_late_ones_are_counted() -> None:
    """
    What is given up is lost; when it comes after all, it is late as well.
    """
    order = FeedOrder()

    for number in (1, 3, 4, 2):
        order.take(a_packet(number))

    assert (order.counts.received, order.counts.lost, order.counts.late) == (4, 1, 1)


def test_a_new_feed_goes_on_in_the_origins_time() -> None:
    """
    Over a break of 100 packets sequence numbers begin anywhere; times tell the gap.
    """
    order = FeedOrder()
    order.take(a_packet(10))

    order.begin()
    (frame,) = order.take(
        FeedPacket(sequence_number=40_000, timestamp=111 * 960, payload=OPUS_20_MS)
    )

    assert frame.skipped == 100
    assert order.counts.lost == 100


def test_long_frames_are_counted_by_their_length() -> None:
    """
    A packet of 60 ms lasts 2,880 samples, as its own first byte says.
    """
    order = FeedOrder()

    (frame,) = order.take(a_packet(7, OPUS_60_MS))

    assert frame.duration_samples == 2_880


def test_what_is_no_opus_is_dropped() -> None:
    """
    A packet whose frames would be longer than 120 ms is counted and not sent.
    """
    order = FeedOrder()

    assert order.take(a_packet(1, bytes([0x7B, 0x3F]))) == []
    assert order.counts.malformed == 1
    assert [f.csrcs for f in order.take(a_packet(2))] == [(2,)]

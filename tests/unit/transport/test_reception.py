"""Loss and jitter as receiver reports tell them (RFC 3550 A.3, A.8)."""

from collections.abc import Iterable

import pytest

from media_worker.transport.reception import ReceptionStats
from media_worker.transport.rtcp import ReportBlock, SenderReport


def receive(
    stats: ReceptionStats,
    numbers: Iterable[int],
    *,
    ssrc: int = 1,
    delay_s: float = 0.0,
) -> None:
    """Let numbered packets arrive every 20 ms, each `delay_s` late."""
    for number in numbers:
        stats.packet_received(
            ssrc=ssrc,
            sequence_number=number & 0xFFFF,
            timestamp=number * 960 & 0xFFFFFFFF,
            arrival_s=number * 0.02 + delay_s,
        )


def report(stats: ReceptionStats, now_s: float = 0.0) -> ReportBlock:
    """Return the report, which must be there."""
    block = stats.report(now_s)
    assert block is not None
    return block


def test_nothing_received_is_nothing_reported() -> None:
    """
    Before the first packet there is no stream to report on.
    """
    assert ReceptionStats().report(1.0) is None


def test_a_clean_stream_has_no_loss_and_no_jitter() -> None:
    """
    A steady stream through a sequence wrap is complete.
    """
    stats = ReceptionStats()
    receive(stats, range(65_500, 65_600))

    block = report(stats)

    assert (block.fraction_lost, block.cumulative_lost) == (0, 0)
    assert block.highest_sequence == 65_599
    assert block.jitter == 0


def test_loss_is_told_per_interval_and_in_total() -> None:
    """
    A quarter lost is 64/256 in that report, and stays in the sum after it.
    """
    stats = ReceptionStats()
    receive(stats, (n for n in range(100) if n % 4 != 1))
    lossy = report(stats)
    receive(stats, range(100, 200))
    clean = report(stats)

    assert (lossy.fraction_lost, lossy.cumulative_lost) == (64, 25)
    assert (clean.fraction_lost, clean.cumulative_lost) == (0, 25)


def test_reordered_packets_are_not_lost_and_duplicates_count_negative() -> None:
    """
    Late packets fill their gap; duplicates make the sum negative, never the fraction.
    """
    stats = ReceptionStats()
    receive(stats, [1, 3, 2, 4, 6, 5])
    assert report(stats).cumulative_lost == 0

    receive(stats, [7, 7, 7])
    block = report(stats)

    assert block.cumulative_lost == -2
    assert block.fraction_lost == 0


def test_jitter_follows_the_clause() -> None:
    """
    A change of delay of 10 ms (480 units) adds a sixteenth of it, through a wrap of
    the timestamp.
    """
    stats = ReceptionStats()
    receive(stats, [4_473_920, 4_473_921])
    receive(stats, [4_473_922], delay_s=0.010)

    assert stats.jitter == pytest.approx(30.0, abs=0.01)
    receive(stats, [4_473_925], delay_s=0.010)
    assert stats.jitter == pytest.approx(30.0 * 15 / 16, abs=0.01)


def test_a_single_wild_number_is_not_believed() -> None:
    """
    A jump counts when the next packet confirms it, and begins the count anew.
    """
    stats = ReceptionStats()
    receive(stats, [1, 2, 30_000, 3, 4])
    assert report(stats).cumulative_lost == 0
    assert stats.received == 4

    receive(stats, [50_000, 50_001, 50_002])
    block = report(stats)

    assert block.highest_sequence == 50_002
    assert block.cumulative_lost == 0


def test_another_ssrc_begins_anew() -> None:
    """
    A client that changes its SSRC is not told that it lost the difference.
    """
    stats = ReceptionStats()
    receive(stats, [1, 5], ssrc=1)
    receive(stats, [100, 101], ssrc=2)

    block = report(stats)

    assert (block.ssrc, block.cumulative_lost) == (2, 0)


def test_the_sender_can_work_out_the_round_trip() -> None:
    """
    The middle of its SR and the delay since come back; another's SR does not.
    """
    stats = ReceptionStats()
    receive(stats, [1])
    sender = SenderReport(
        ssrc=1, ntp_time=0x1111222233334444, rtp_timestamp=0, blocks=()
    )
    stranger = SenderReport(ssrc=2, ntp_time=7 << 32, rtp_timestamp=0, blocks=())
    stats.sender_report_received(sender, 10.0)
    stats.sender_report_received(stranger, 10.1)

    block = report(stats, now_s=10.5)

    assert block.last_sr == 0x22223333
    assert block.delay_since_last_sr == 32_768

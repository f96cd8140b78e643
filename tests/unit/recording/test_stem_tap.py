"""What waits in memory for the disk, and what becomes of it where there is too much."""

import pytest

from media_worker.audio.frames import ReceivedPacket
from media_worker.recording.echo_watch import HELD_SAMPLES
from media_worker.recording.journal import Gap, Journal
from media_worker.recording.manifest_making import MEANT
from media_worker.recording.stem_tap import MAX_PENDING, StemTap
from spaces_contract.recording import GapReason, StemId
from tests.open_gate import OPEN

STEM = StemId("stem-ana1")


def take(tap: StemTap, packets: int, journal: Journal) -> None:
    """Take so many packets, each as it is sent."""
    for number in range(packets):
        packet = ReceivedPacket(
            ssrc=1,
            sequence_number=0,
            timestamp=number * 960,
            payload=b"\xf8\x01\x02",
            level_dbov=None,
            arrival_s=0.0,
        )
        tap.take(packet, number * 960, facts=OPEN, journal=journal)


def test_what_the_disk_does_not_take_in_time_is_a_gap() -> None:
    """
    The oldest packets go, and the journal says so.
    """
    tap, journal = StemTap(STEM), Journal(epoch=1, opened=0, alive=0)
    take(tap, MAX_PENDING + 10, journal)

    assert journal.gaps == [
        Gap(stem=STEM, reason=GapReason.STORE_LOST, start=0, end=10 * 960)
    ]
    kept = [arrival // 960 for _, arrival in tap.ready(10**9)]
    assert kept == list(range(10, MAX_PENDING + 10))


@pytest.mark.parametrize(
    ("late_ms", "reason"),
    [
        (0, GapReason.ECHO),
        (100, GapReason.ECHO),  # the last check was still at work
        (1_000, GapReason.UNCHECKED),
    ],
)
def test_what_a_slow_machine_did_not_check_is_lost(
    late_ms: int, reason: GapReason
) -> None:
    """
    As much as always waits to be checked is left out for those who declined; more is a
    loss, so that the recording is partial.
    """
    tap, journal = StemTap(STEM), Journal(epoch=1, opened=0, alive=0)
    take(tap, 100, journal)
    now = 100 * 960
    since = now - HELD_SAMPLES - late_ms * 48

    tap.give_up(since, now, journal)

    assert journal.gaps == [Gap(stem=STEM, reason=reason, start=since, end=now)]
    assert (reason in MEANT) is (late_ms < 1_000)
    assert all(arrival < since for _, arrival in tap.ready(10**9))

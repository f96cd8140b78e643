"""What waits in memory for the disk, and what becomes of it where there is too much."""

from media_worker.audio.frames import ReceivedPacket
from media_worker.recording.journal import Gap, Journal
from media_worker.recording.stem_tap import MAX_PENDING, StemTap
from spaces_contract.recording import GapReason, StemId
from tests.open_gate import OPEN

STEM = StemId("stem-ana1")


def test_what_the_disk_does_not_take_in_time_is_a_gap() -> None:
    """
    The oldest packets go, and the journal says so.
    """
    tap, journal = StemTap(STEM), Journal(epoch=1, opened=0, alive=0)
    for number in range(MAX_PENDING + 10):
        packet = ReceivedPacket(
            ssrc=1,
            sequence_number=0,
            timestamp=number * 960,
            marker=False,
            payload=b"\xf8\x01\x02",
            level_dbov=None,
            arrival_s=0.0,
        )
        tap.take(packet, number * 960, facts=OPEN, journal=journal)

    assert journal.gaps == [
        Gap(stem=STEM, reason=GapReason.STORE_LOST, start=0, end=10 * 960)
    ]
    kept = [arrival // 960 for _, arrival in tap.ready(10**9)]
    assert kept == list(range(10, MAX_PENDING + 10))

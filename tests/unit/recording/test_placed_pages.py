"""Speech that comes late, and at once: nothing of it is lost, all is in its place."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from media_worker.audio.frames import ReceivedPacket
from media_worker.recording import ogg
from media_worker.recording.journal import Journal
from media_worker.recording.placed_pages import (
    MAX_WAITING,
    PlacedPage,
    put_back,
    put_back_within,
)
from media_worker.recording.placing import HOP_SAMPLES
from media_worker.recording.stem_pages import StemPages
from media_worker.recording.stem_tap import StemTap
from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording import StemId
from tests.open_gate import OPEN

PACKET = 960
SECOND = SAMPLE_RATE_HZ
TALK = 4 * SECOND
SAID = range(0, TALK, PACKET)
FLUSH = SECOND // 4
UNSURE = SECOND // 10  # packets this young wait for the next flush
Times = Sequence[tuple[int, int]]


def a_page(start: int, end: int) -> PlacedPage:
    """Return a page of so many packets of one sample."""
    return PlacedPage(start=start, end=end, packets=(b"",) * (end - start))


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        pytest.param([(0, 9), (20, 30)], [(0, 9), (20, 30)], id="in place"),
        pytest.param([(0, 9), (8, 12)], [(0, 9), (8, 12)], id="clocks drift"),
        pytest.param(
            [(0, 10), (50, 55), (15, 20)], [(0, 10), (10, 15), (15, 20)], id="one late"
        ),
        pytest.param(
            [(0, 10), (40, 44), (36, 40), (20, 30)],
            [(0, 10), (12, 16), (16, 20), (20, 30)],
            id="less and less late",
        ),
        pytest.param(
            [(0, 10), (40, 44), (46, 50), (20, 30)],
            [(0, 10), (10, 14), (16, 20), (20, 30)],
            id="a packet lost among late ones",
        ),
        pytest.param([(40, 50), (5, 15)], [(-5, 5), (5, 15)], id="the first is late"),
        pytest.param(
            [(0, 10), (14, 24), (30, 40), (30, 44)],
            [(0, 10), (10, 20), (20, 30), (30, 44)],
            id="later and later",
        ),
    ],
)
def test_late_pages_are_put_back(placed: Times, expected: Times) -> None:
    """
    Where what follows tells that a page is too late, into the silence before it.
    """
    unit = PACKET  # above what drift makes, but for a single one
    pages = [a_page(start * unit, end * unit) for start, end in placed]

    found = [(page.start // unit, page.end // unit) for page in put_back(pages)]

    assert found == list(expected)


def test_no_more_pages_wait_than_were_said() -> None:
    """
    What is heard of a long recording does not have to be held in memory.
    """
    pages = iter([a_page(n * 10, n * 10 + 10) for n in range(2 * MAX_WAITING)])

    next(put_back(pages))

    assert len(list(pages)) == MAX_WAITING - 1


def recorded(
    arrives: Callable[[int], int], seen: Callable[[int], int]
) -> list[PlacedPage]:
    """
    Record four seconds of unbroken talk; return the pages as they were placed.

    Args:
        arrives: When what was sent at so many samples reaches this machine.
        seen: When the worker takes what arrived then; it stands still until that.
    """
    tap, stem = StemTap(StemId("stem")), StemPages("stem")
    journal = Journal(epoch=1, opened=0, alive=0)
    tap.keyed = True
    takes = sorted((seen(arrives(at)), at) for at in SAID)
    pages: list[bytes] = []
    due = FLUSH

    def flush(until: int) -> None:
        nonlocal due
        while due < until:  # first what came at the same moment, then the flush
            due = max(due, seen(due))
            if due >= until:
                return
            pages.extend(stem.close_pages(tap.ready(due - UNSURE)))
            due += FLUSH

    for now, at in takes:
        flush(now)
        age = now - arrives(at)
        arrival = now - (age if age < SECOND // 5 else 0)  # as `UdpPort` tells it
        packet = ReceivedPacket(
            ssrc=1,
            sequence_number=0,
            timestamp=at,
            payload=b"\xf8\x01\x02",
            level_dbov=None,
            arrival_s=0.0,
        )
        tap.take(packet, arrival, facts=OPEN, journal=journal)
    flush(2 * TALK)
    read = [ogg.read_page(page) for page in pages]
    return [
        PlacedPage(
            start=page.granule - len(page.packets) * PACKET,
            end=page.granule,
            packets=page.packets,
        )
        for page in read
        if not page.packets[0].startswith(b"Opus")
    ]


def places(pages: Iterable[PlacedPage]) -> list[int]:
    """Return where each packet is heard, in samples."""
    return [at for page in pages for at in range(page.start, page.end, PACKET)]


@pytest.mark.parametrize("still_s", [0.3, 1.5])
@pytest.mark.parametrize("from_s", [0.0, 1.0])
def test_a_worker_that_stood_still_loses_nothing(from_s: float, still_s: float) -> None:
    """
    What lay in its socket meanwhile is recorded, and in its place from the beginning.
    """
    begin, end = int(from_s * SECOND), int((from_s + still_s) * SECOND)

    pages = recorded(
        arrives=lambda at: at, seen=lambda at: end if begin <= at < end else at
    )

    assert places(pages) == pytest.approx(list(SAID), abs=HOP_SAMPLES)


@pytest.mark.parametrize("still_s", [0.9, 1.5])
@pytest.mark.parametrize("apart", [24, 288])
def test_a_sender_who_stood_still_loses_nothing(apart: int, still_s: float) -> None:
    """
    What a network held back, and then brought packet by packet, is in its place.
    """
    begin, end = SECOND, int((1 + still_s) * SECOND)
    came: dict[int, int] = {}
    last = 0
    for at in SAID:
        last = came[at] = max(end if begin <= at < end else at, last + apart)

    pages = recorded(arrives=lambda at: came.get(at, at), seen=lambda at: at)

    assert places(put_back(pages)) == pytest.approx(list(SAID), abs=HOP_SAMPLES)


@pytest.mark.parametrize("late_s", [0.5, 1.5, 8.0])
def test_what_was_placed_after_an_interval_is_heard_in_it(late_s: float) -> None:
    """
    The pages of an interval are those that the whole has there, however late some were
    placed; of what comes long after it no more is read than tells that.
    """
    late, size = int(late_s * SECOND), SECOND // 2
    starts = [
        n * size + (late if 2 * SECOND <= n * size < 3 * SECOND else 0)
        for n in range(80)
    ]
    pages = [PlacedPage(start=at, end=at + size, packets=()) for at in starts]
    start, end = SECOND, 3 * SECOND
    reading = iter(pages)

    found = list(put_back_within(reading, start, end))

    whole = [each for each in put_back(pages) if each.end > start and each.start < end]
    assert [page.start for page in whole] == list(range(start, end, size))
    assert found == whole
    assert len(list(reading)) > 50


def test_what_comes_before_an_interval_tells_where_its_late_pages_belong() -> None:
    """
    The silence that they fill may begin before it, as it does in the whole.
    """
    half = SECOND // 2
    placed = [(10, 16), (28, 32), (35, 39), (35, 38)]
    pages = [a_page(start * half, end * half) for start, end in placed]

    found = list(put_back_within(pages, 25 * half, 40 * half))

    assert [page.start // half for page in found] == [24, 31, 35]
    assert found == [each for each in put_back(pages) if each.end > 25 * half]

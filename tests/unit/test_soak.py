"""What the soak counts as heard, lost, leaked and broken."""

import struct
from collections.abc import Iterable

import pytest

from tests.api import ApiError
from tests.soak.faults import RECOVERY_S, FaultKind, schedule
from tests.soak.hearing import HearingLog
from tests.soak.journal import Journal
from tests.soak.processes import MOST_GROWTH, Sample, Watch
from tests.soak.recordings import without

START_S = 1_000.0
KEY = ("muted", "ana")


def heard(
    log: HearingLog, numbers: Iterable[int], *, late_s: float = 0.0
) -> HearingLog:
    """Let packets of 20 ms arrive by their numbers."""
    for number in numbers:
        data = struct.pack("!BBHII", 0x80, 96, number, 960 * number, 7)
        log.packet(START_S + number * 0.020 + late_s, data)
    return log


def test_a_minute_with_all_its_packets_is_good() -> None:
    """A stream without a hole misses nothing."""
    log = heard(HearingLog(), range(3_001))
    log.close(START_S + 60)

    assert log.minutes([]) == [1.0]
    assert log.holes == []


def test_lost_packets_are_missing() -> None:
    """Two hundredths that never came spoil a minute."""
    log = heard(HearingLog(), (n for n in range(3_001) if n % 50))
    log.close(START_S + 60)

    assert log.minutes([]) == [0.0]


def test_what_a_rough_network_loses_is_not_ours() -> None:
    """Where packets get lost by themselves, only long gaps count."""
    log = HearingLog(counts_loss=False)
    heard(log, (n for n in range(3_001) if n % 50))
    log.close(START_S + 60)

    assert log.minutes([]) == [1.0]


def test_a_silence_counts_in_the_minutes_that_it_spoils() -> None:
    """Five seconds from one minute into the next are missing in both."""
    gone = range(2_875, 3_125)
    log = heard(HearingLog(), (n for n in range(9_001) if n not in gone))
    log.close(START_S + 180)

    assert log.minutes([]) == [0.0, 0.0, 1.0]


def test_a_lost_worker_is_judged_by_how_soon_there_is_sound_again() -> None:
    """Its silence spoils no minute; it ends with the first packet of a new session."""
    log = heard(HearingLog(), range(1_001))
    log.new_session()
    heard(log, range(2_001, 3_001))
    log.close(START_S + 60)
    killed_s = START_S + 20.05

    (took_s,) = log.recoveries([killed_s])
    assert took_s == pytest.approx(19.97)
    assert log.minutes([killed_s]) == [1.0]
    assert log.minutes([]) == [0.0]


def test_who_never_hears_again_is_silent_to_the_end() -> None:
    """The silence at the end counts."""
    log = heard(HearingLog(), range(1_000))
    log.close(START_S + 60)

    assert log.minutes([]) == [0.0]


def test_who_comes_and_never_hears_is_silent_all_the_time() -> None:
    """From when they came, be it that a worker was lost meanwhile."""
    log = HearingLog()
    log.come(START_S)
    log.close(START_S + 90)

    assert log.minutes([]) == [0.0, 0.0]
    assert log.recoveries([START_S + 10]) == [80.0]


@pytest.mark.parametrize(("left_s", "recoveries"), [(30, []), (55, [34.95])])
def test_who_leaves_soon_after_a_loss_says_nothing_of_it(
    left_s: int, recoveries: list[float]
) -> None:
    """Who waits in vain for half a minute does."""
    log = heard(HearingLog(), range(1_001))
    log.close(START_S + left_s)

    assert log.recoveries([START_S + 20.05]) == pytest.approx(recoveries)


async def test_an_acknowledged_change_must_be_found() -> None:
    """What was answered and is not there is lost."""
    journal = Journal()
    await journal.change(KEY, True, _answer())

    assert journal.lost({KEY: True}) == []
    assert journal.lost({KEY: False}) == ["muted ana: False, not True"]
    assert journal.lost({}) == ["muted ana: None, not True"]


@pytest.mark.parametrize(
    ("error", "found", "lost"),
    [
        (ApiError(503, {}), True, False),
        (ApiError(503, {}), None, False),
        (TimeoutError(), True, False),
        (ApiError(409, {}), None, False),
        (ApiError(409, {}), True, True),
    ],
)
async def test_a_change_without_an_answer_may_be_done_or_not(
    error: Exception, found: bool | None, lost: bool
) -> None:
    """A refused one may not."""
    journal = Journal()
    await journal.change(KEY, True, _answer(error))

    assert bool(journal.lost({KEY: found})) is lost
    assert not journal.is_known(KEY, True)


def test_the_same_seed_breaks_the_same() -> None:
    """Each kind comes, and there is time to recover from the last."""
    faults = schedule(5, 900)

    assert faults == schedule(5, 900)
    assert faults != schedule(6, 900)
    assert {fault.kind for fault in faults} == set(FaultKind)
    assert faults[-1].at_s <= 900 - RECOVERY_S


@pytest.mark.parametrize(
    ("others", "left_s"),
    [
        ([], 10),
        ([(0, 5)], 5),
        ([(2, 4), (3, 6)], 6),
        ([(8, 20), (-5, 1)], 7),
        ([(-1, 11)], 0),
    ],
)
def test_what_nothing_covers_is_missing(
    others: list[tuple[float, float]], left_s: float
) -> None:
    """Of ten seconds, those that no heard interval or gap covers."""
    assert without((0.0, 10.0), others) == left_s


def test_growth_is_seen_through_noise() -> None:
    """A process that gains a megabyte a minute shows it; one that breathes does not."""
    for slope_mb_s, by_mb in ((1 / 60, 5.0), (0.0, 0.0)):
        watch = Watch(list)
        samples = [
            Sample(
                at_s=at_s,
                cpu_s=0.0,
                rss_mb=100 + slope_mb_s * at_s + (at_s % 10 > 4),
                descriptors=9,
                threads=2,
            )
            for at_s in range(0, 900, 5)
        ]
        watch.samples["worker", 7, 0.0] = samples

        (growth,) = (g for g in watch.growths(0, 900) if g.thing == "rss_mb")

        assert growth.by == pytest.approx(by_mb, abs=0.2)


@pytest.mark.parametrize(("each_minute", "by"), [(4, 20), (0, 0)])
def test_a_restart_is_no_leak_and_hides_none(each_minute: int, by: float) -> None:
    """
    Each process is held against itself: the one that came later has more from its
    first moment on, and what it gains each minute is seen.
    """
    watch = Watch(list)
    for pid, began, ended, first in ((7, 0, 300, 20), (8, 300, 900, 33)):
        watch.samples["tasks", pid, float(began)] = [
            Sample(
                at_s=at_s,
                cpu_s=0.0,
                rss_mb=80,
                descriptors=first + each_minute * ((at_s - began) // 60),
                threads=8,
            )
            for at_s in range(began, ended, 5)
        ]

    (growth,) = (g for g in watch.growths(0, 900) if g.thing == "descriptors")

    assert growth.by == pytest.approx(by, abs=each_minute)
    assert (growth.by > MOST_GROWTH["descriptors"]) is bool(each_minute)


async def _answer(error: Exception | None = None) -> str:
    if error is not None:
        raise error
    return "done"

"""Blocks of a mix become encrypted segments with the right times."""

import itertools

import numpy as np
import pytest

from media_worker.live_edge.block_feed import Batch, BlockFeed
from media_worker.live_edge.hls_audience import HlsAudience
from media_worker.live_edge.segment_keys import KeysDestroyed, SegmentKeys
from media_worker.live_edge.segment_maker import MadeSegment, SegmentMaker
from spaces_contract.hls import COUNTED_FOR_S
from spaces_contract.ids import UserId
from tests.audio import Samples, alignment, blocks_of, similarity, voice
from tests.hls_player import decoded, decrypted

UNIX_OFFSET_S = 1_795_000_000.0
SAID = voice(3)


class Maker:
    """A maker with its keys, and what it has made."""

    def __init__(self) -> None:
        self.keys = SegmentKeys("space/1")
        self._maker = SegmentMaker(
            self.keys, epoch=1, unix_offset_s=lambda: UNIX_OFFSET_S
        )
        self.made: list[MadeSegment] = []

    def say(self, samples: Samples, *, due_s: float) -> None:
        """Make segments of what was mixed from `due_s` on."""
        blocks = blocks_of(samples)
        for at in range(0, len(blocks), 50):
            batch = Batch(due_s + at * 0.02, tuple(blocks[at : at + 50]))
            self.take(batch)

    def take(self, batch: Batch) -> None:
        """Make a segment."""
        made = self._maker.make(batch)
        assert made is not None
        self.made.append(made)

    @property
    def plain(self) -> list[bytes]:
        """Each segment, decrypted."""
        return [
            decrypted(
                made.body,
                self.keys.key(made.segment.key_number),
                made.segment.initial_vector,
            )
            for made in self.made
        ]


def test_what_was_said_is_heard() -> None:
    """
    Segments, decrypted and joined, are the voice.
    """
    maker = Maker()

    maker.say(SAID, due_s=100)

    heard = decoded(b"".join(maker.plain))
    assert similarity(SAID[:120_000], heard) > 0.98


def test_times_are_those_of_the_mix() -> None:
    """
    The first segment's time and the place of its sound in it lead to the moment at
    which it was mixed, within a millisecond.
    """
    maker = Maker()
    click = np.zeros(48_000, np.int16)
    click[24_000:24_400] = voice(1)[:400] * 2

    maker.say(click, due_s=100)

    begins_s = maker.made[0].segment.begins_s - UNIX_OFFSET_S
    at = alignment(click, decoded(maker.plain[0]))
    assert begins_s + at / 48_000 == pytest.approx(100, abs=0.001)


def test_a_second_is_a_segment() -> None:
    """
    Durations are whole frames, and on the average a second: none is lost or added.
    """
    maker = Maker()

    maker.say(np.zeros(48_000 * 20, np.int16), due_s=100)

    segments = [made.segment for made in maker.made]
    assert {each.frames for each in segments[1:]} == {46, 47}
    for before, after in itertools.pairwise(segments):
        assert after.begins_s == pytest.approx(before.ends_s, abs=1e-6)
    assert segments[-1].ends_s - UNIX_OFFSET_S == pytest.approx(120, abs=0.06)


def test_silence_is_sound_too() -> None:
    """
    Blocks in which nobody is heard make segments of the same length.
    """
    maker = Maker()

    maker.take(Batch(100.0, (None,) * 50))

    assert decoded(maker.plain[0]).size == maker.made[0].segment.frames * 1_024


def test_after_a_gap_time_is_right_again() -> None:
    """
    What was skipped is missing, and what follows has its own time.
    """
    maker = Maker()
    maker.take(Batch(100.0, (None,) * 50))

    maker.take(Batch(101.5, (None,) * 50))

    first, second = (made.segment for made in maker.made)
    assert second.begins_s - first.begins_s == pytest.approx(1.5, abs=1e-6)


def test_keys_have_nothing_in_common() -> None:
    """
    Each number, Space and worker has its own keys; an IV is no part of a key.
    """
    keys, others = SegmentKeys("space/1"), SegmentKeys("space/1")

    made = {keys.key(1), keys.key(2), others.key(1), keys.initial_vector(1)}

    assert len(made) == 4
    assert keys.key(1) == keys.key(1)


def test_destroyed_keys_are_gone() -> None:
    """
    After `destroy` there is no way back to a key, and nothing of the secret is left.
    """
    keys = SegmentKeys("space/1")
    keys.key(1)

    keys.destroy()

    with pytest.raises(KeysDestroyed):
        keys.key(1)
    with pytest.raises(KeysDestroyed):
        keys.encrypt(b"voice", 1)
    assert bytes(keys._secret) == b""


async def test_a_feed_keeps_the_last_three_seconds() -> None:
    """
    Whoever opens it gets what was said just before, in whole batches.
    """
    feed = BlockFeed()
    for tick in range(1_000):
        feed.put(tick * 0.02, None)

    assert feed.open() == 3
    assert [round((await feed.take()).due_s, 2) for _ in range(3)] == [17, 18, 19]


async def test_a_feed_drops_what_nobody_takes() -> None:
    """
    It holds a few seconds; the oldest goes first, and is counted.
    """
    feed = BlockFeed()
    feed.open()

    for tick in range(50 * 10):
        feed.put(tick * 0.02, None)

    assert feed.dropped_blocks == 50 * 4
    assert (await feed.take()).due_s == pytest.approx(4)


async def test_ticks_that_were_skipped_are_silence() -> None:
    """
    Players get as much sound as time goes by, and nothing that lets them begin anew.
    """
    feed = BlockFeed()
    feed.open()
    ticks = [tick for tick in range(300) if not 40 <= tick < 60 and tick != 99]
    said = blocks_of(voice(1))[0]

    for tick in ticks:
        feed.put(7.0 + tick * 0.02, said)

    batches = [await feed.take() for _ in range(6)]
    assert [each.due_s for each in batches] == pytest.approx([7, 8, 9, 10, 11, 12])
    blocks = [mix for each in batches for mix in each.mixes]
    assert [tick for tick, mix in enumerate(blocks) if mix is said] == ticks
    assert not feed.has_batch


@pytest.mark.parametrize(
    ("skipped", "begins_s"),
    [(100, [0.0, 0.02, 1.02, 2.02]), (101, [0.0, 2.04])],
)
async def test_who_stood_still_for_long_begins_anew(
    skipped: int, begins_s: list[float]
) -> None:
    """
    Players have run out by then, and would only hear the silence as well.
    """
    feed = BlockFeed()
    feed.open()

    for tick in (0, 1 + skipped):
        feed.put(tick * 0.02, None)
        feed.flush()

    batches = [await feed.take() for _ in begins_s]
    assert [each.due_s for each in batches] == pytest.approx(begins_s)
    assert not feed.has_batch


async def test_a_feed_goes_on_where_it_was_flushed() -> None:
    """
    However short a batch is, the next one begins where it ends.
    """
    feed = BlockFeed()
    feed.open()
    for tick in range(5):
        feed.put(tick * 0.02, None)
        feed.flush()

    begins_s = [(await feed.take()).due_s for _ in range(5)]

    assert begins_s == pytest.approx([0.0, 0.02, 0.04, 0.06, 0.08])


def test_an_audience_is_counted_by_what_it_asks_for() -> None:
    """
    The same person counts once, until they have asked for nothing for long enough.
    """
    audience = HlsAudience()
    for now_s, uid in ((0.0, "ana"), (1.0, "bo"), (400.0, "ana")):
        audience.note(UserId(uid), now_s)

    audience.expire(COUNTED_FOR_S + 0.5)
    with_bo = len(audience)
    audience.expire(COUNTED_FOR_S + 1.5)

    assert (with_bo, len(audience)) == (2, 1)


def test_a_crowd_is_counted_by_a_sample() -> None:
    """
    Memory is bounded; the number is right within some percent, repeats or not.
    """
    audience = HlsAudience(max_kept=2_000)

    for _ in range(2):
        for number in range(20_000):
            audience.note(UserId(f"listener-{number}"), 0)

    assert len(audience) == pytest.approx(20_000, rel=0.08)


def test_after_a_crowd_those_who_stay_are_counted_one_by_one() -> None:
    """
    Nine in ten leave: the number is right within some percent while the others ask for
    their next keys, exact once they have, and one more is one more.
    """
    audience = HlsAudience(max_kept=2_000)
    for number in range(8_000):
        audience.note(UserId(f"listener-{number}"), 0)
    staying = [UserId(f"listener-{number}") for number in range(800)]

    counts = []
    for clock_s in range(0, 1_500, 300):
        for user_id in staying:
            audience.note(user_id, clock_s)
        audience.expire(clock_s)
        counts.append(len(audience))
    audience.note(UserId("late"), 1_200)

    assert counts[0] == pytest.approx(8_000, rel=0.08)
    assert counts[3] == pytest.approx(800, rel=0.2)
    assert counts[4] == 800
    assert len(audience) == 801


def test_a_sample_is_right_while_it_becomes_exact() -> None:
    """
    Some have asked since the crowd left, and stand for themselves alone; the others
    still stand for several: together they are as many as there are.
    """
    audience = HlsAudience(max_kept=2_000)
    for number in range(8_000):
        audience.note(UserId(f"listener-{number}"), 0)
    for number in range(1_200):
        audience.note(UserId(f"listener-{number}"), 600)
    audience.expire(COUNTED_FOR_S + 1)
    sampled = len(audience)
    for number in range(600):
        audience.note(UserId(f"listener-{number}"), COUNTED_FOR_S + 2)

    assert sampled == pytest.approx(1_200, rel=0.15)
    assert len(audience) == pytest.approx(1_200, rel=0.15)

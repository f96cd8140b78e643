"""The playlist keeps RFC 8216, whatever becomes of segments and workers."""

from dataclasses import replace

import pytest

from media_worker.live_edge.playlist import Segment, Window
from spaces_contract.hls import WINDOW_S, key_number
from tests.hls_rules import Playlist, check_update, read

FRAMES = (46, 47, 47, 47, 47, 47, 47, 47)  # in eight seconds
BEGAN_S = 1_795_360_706.25


def a_segment(serial: int, *, begins_s: float, frames: int, epoch: int = 1) -> Segment:
    """Return a segment that is stored."""
    number = key_number(begins_s)
    return Segment(
        epoch=epoch,
        serial=serial,
        frames=frames,
        begins_s=begins_s,
        key_number=number,
        initial_vector=number.to_bytes(16),
    )


def stream(count: int, *, begins_s: float = BEGAN_S, epoch: int = 1) -> list[Segment]:
    """Return so many segments without a gap."""
    segments: list[Segment] = []
    for serial in range(count):
        frames = FRAMES[serial % len(FRAMES)]
        segment = a_segment(serial, begins_s=begins_s, frames=frames, epoch=epoch)
        segments.append(segment)
        begins_s = segment.ends_s
    return segments


def play(window: Window, segments: list[Segment]) -> list[Playlist]:
    """Return the playlist after each segment, all of them held to the rules."""
    playlists: list[Playlist] = []
    for segment in segments:
        window.add(segment)
        playlists.append(read(window.playlist()))
        if len(playlists) > 1:
            check_update(playlists[-2], playlists[-1])
    return playlists


def test_minutes_keep_the_rules() -> None:
    """
    Every playlist is right by itself, and after the one before it.
    """
    playlists = play(Window(1), stream(120))

    first, last = playlists[0], playlists[-1]
    assert last.first_number - first.first_number == 120 - len(last.segments)
    assert {len(each.segments) for each in playlists[25:]} <= {19, 20}


def test_the_window_is_short() -> None:
    """
    Nothing older than `WINDOW_S` can be found in a playlist.
    """
    for playlist in play(Window(1), stream(60)):
        assert sum(each.duration_s for each in playlist.segments) <= WINDOW_S + 0.01


def test_what_leaves_is_told_once() -> None:
    """
    Each segment is returned when it leaves the window, for its object to be deleted.
    """
    window, segments = Window(1), stream(60)

    gone = [each for segment in segments for each in window.add(segment)]
    gone += window.clear()

    assert gone == segments


def test_keys_change_within_a_playlist() -> None:
    """
    A segment that begins in the next period has the next key, and no gap before it.
    """
    border_s = (key_number(BEGAN_S) + 1) * 300.0
    playlists = play(Window(1), stream(12, begins_s=border_s - 5))

    uris = [each.key_uri for each in playlists[-1].segments]
    number = key_number(border_s)
    assert uris[0] == f"{{$k}}/1/{number - 1}?{{$t}}"
    assert uris[-1] == f"{{$k}}/1/{number}?{{$t}}"
    assert len({each.stretch for each in playlists[-1].segments}) == 1


def test_a_missing_segment_is_a_discontinuity() -> None:
    """
    What could not be stored is left out; numbers go on by one, and the time is told.
    """
    segments = stream(30)
    playlists = play(Window(1), segments[:10] + segments[12:])

    listed = playlists[12].segments
    assert [each.number - listed[0].number for each in listed] == list(range(13))
    assert [each.stretch - listed[0].stretch for each in listed] == [0] * 10 + [1] * 3
    assert playlists[-1].first_stretch == playlists[0].first_stretch + 1
    gap_s = (listed[10].begins_at - listed[9].begins_at).total_seconds()
    assert gap_s == pytest.approx(3 * 1.0, abs=0.03)


@pytest.mark.parametrize("away_s", [2, 16, 3_600])
def test_a_relaunched_worker_goes_on(away_s: float) -> None:
    """
    Numbers of the next epoch are higher, though the new worker has read nothing.
    """
    before = play(Window(1), stream(40))[-1]
    died_s = before.segments[-1].begins_at.timestamp() + 1

    after = play(Window(2), stream(30, begins_s=died_s + away_s, epoch=2))[0]

    check_update(before, after)
    assert after.first_number > before.segments[-1].number
    assert after.first_stretch > before.segments[-1].stretch
    assert after.segments[0].uri.startswith("2/")


def test_numbers_grow_after_a_worker_that_skipped_ticks() -> None:
    """
    Its segments were short, and their numbers ahead of the clock.
    """
    segments = [
        a_segment(serial, begins_s=BEGAN_S + serial / 2, frames=20)
        for serial in range(240)
    ]
    before = play(Window(1), segments)[-1]

    after = play(Window(2), stream(3, begins_s=segments[-1].ends_s + 2, epoch=2))[0]

    check_update(before, after)
    assert after.first_number > before.segments[-1].number


def test_a_worker_that_rested_goes_on() -> None:
    """
    After a pause, in which everything was taken away, numbers are higher as well.
    """
    window = Window(1)
    before = play(window, stream(50))[-1]
    window.clear()

    after = play(window, stream(30, begins_s=BEGAN_S + 600))[0]

    check_update(before, after)
    assert after.first_stretch > before.segments[-1].stretch


def test_old_segments_do_not_outlive_a_gap() -> None:
    """
    After a minute in which nothing was stored, only what came then is listed.
    """
    window = Window(1)
    play(window, stream(30))

    leaving = window.add(a_segment(99, begins_s=BEGAN_S + 90, frames=47))

    assert len(leaving) in {19, 20}
    assert [each.uri for each in read(window.playlist()).segments] == ["1/99.ts"]


def test_the_end_is_told() -> None:
    """
    The last playlist says that nothing follows.
    """
    window = Window(1)
    play(window, stream(5))

    assert read(window.playlist(ended=True)).ended


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace("#EXTM3U\n", ""),
        lambda text: text.replace("TARGETDURATION:1", "TARGETDURATION:0"),
        lambda text: text.replace('#EXT-X-DEFINE:IMPORT="t"\n', ""),
        lambda text: text.replace("#EXT-X-VERSION:8", "#EXT-X-VERSION:7"),
        lambda text: text.replace("#EXTINF:0.981333,\n", ""),
        lambda text: text.replace("IV=0x", "IV=0y"),
        lambda text: text + "#EXT-X-WHAT:1\n",
    ],
)
def test_broken_rules_are_seen(spoil: object) -> None:
    """
    The rules that these tests hold are no dummies.
    """
    window = Window(1)
    play(window, stream(5))
    assert callable(spoil)

    with pytest.raises((AssertionError, ValueError)):
        read(spoil(window.playlist()))


def test_broken_updates_are_seen() -> None:
    """
    Nor are those of what may change.
    """
    *_, before, after = play(Window(1), stream(40))
    stale = replace(after, first_number=before.first_number - 1)

    with pytest.raises(AssertionError):
        check_update(before, stale)

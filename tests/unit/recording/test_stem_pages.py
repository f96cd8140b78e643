"""Stems: what passed the gate, in its place, sealed."""

import io
from typing import Any

import av
import numpy as np
import pytest

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.opus import Encoder
from media_worker.recording import ogg
from media_worker.recording.placing import HOP_SAMPLES, Placing
from media_worker.recording.sealing import (
    DamagedPage,
    PageSeal,
    SealedPage,
    StemPlace,
    new_key,
    records,
)
from media_worker.recording.speech_filter import LEAD_IN_PACKETS, SpeechFilter
from media_worker.recording.stem_pages import StemPages
from spaces_contract.recording import RecordingId, StemId
from tests.audio import blocks_of, similarity, voice

PLACE = StemPlace(
    recording_id=RecordingId("recording-1"), stem=StemId("s" * 8), epoch=3
)


def a_packet(
    timestamp: int, payload: bytes = b"\xf8\x01\x02", *, ssrc: int = 1, **other: Any
) -> ReceivedPacket:
    """Return a packet of 20 ms."""
    return ReceivedPacket(
        ssrc=ssrc,
        sequence_number=0,
        timestamp=timestamp & 0xFFFF_FFFF,
        payload=payload,
        level_dbov=other.get("level_dbov"),
        arrival_s=0.0,
    )


def audio_pages(pages: list[bytes]) -> list[ogg.Page]:
    """Return the pages that hold sound."""
    read = [ogg.read_page(page) for page in pages]
    return [page for page in read if not page.packets[0].startswith(b"Opus")]


def test_ffmpeg_reads_what_we_write() -> None:
    """
    A stem is an Ogg Opus file as others read it, with the very packets that came.
    """
    said = voice(0.6)
    with Encoder() as encoder:
        payloads = [encoder.encode(block) for block in blocks_of(said)]
    pages = StemPages("stem-0001").close_pages(
        (a_packet(i * 960, payload), i * 960) for i, payload in enumerate(payloads)
    )

    with av.open(io.BytesIO(b"".join(pages)), "r") as file:
        heard = np.concatenate(
            [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
        )

    assert [p for page in audio_pages(pages) for p in page.packets] == payloads
    assert similarity(said, heard) > 0.9


def test_a_changed_page_is_refused() -> None:
    """
    One flipped bit in a page shows, and so do lengths that do not add up.
    """
    page = bytearray(ogg.page(1, 0, 960, [b"abc", bytes(600)]))
    assert ogg.read_page(bytes(page)).packets == (b"abc", bytes(600))
    page[40] ^= 1

    for bad in (bytes(page), b"", page[:20]):
        with pytest.raises(ogg.MalformedPage):
            ogg.read_page(bytes(bad))


def test_holes_split_pages_and_keep_their_place() -> None:
    """
    A lost packet, or a pause, moves what comes after it to where it was said.
    """
    at = [0, 960, 2880, 96_000]
    pages = StemPages("stem-0001").close_pages((a_packet(t), t + 4_800) for t in at)

    assert [(p.granule, len(p.packets)) for p in audio_pages(pages)] == [
        (4_800 + 1_920, 2),
        (4_800 + 3_840, 1),
        (4_800 + 96_960, 1),
    ]


def test_reordered_and_doubled_packets_are_put_right() -> None:
    """
    Packets are stored once each and in their order; what is too late is left out.
    """
    stem = StemPages("stem-0001")
    first = stem.close_pages((a_packet(t), 4_800 + 960) for t in (960, 0, 960, 1920))
    second = stem.close_pages((a_packet(t), 9_600) for t in (960, 2880))

    assert [len(p.packets) for p in audio_pages(first + second)] == [3, 1]
    assert stem.late == 2


def test_a_sender_who_begins_anew_is_placed_by_arrival() -> None:
    """
    Another SSRC has another zero; the stem goes on at the time of its arrival.
    """
    stem = StemPages("stem-0001")
    pages = stem.close_pages(
        [
            (a_packet(7_000_000), 48_000),
            (a_packet(5, ssrc=2), 96_000),
            (a_packet(900_000, ssrc=2), 144_000),  # the same, but a jump of 17 s
        ]
    )

    assert [p.granule - 960 for p in audio_pages(pages)] == [48_000, 96_000, 144_000]


def test_dtx_and_nonsense_are_left_out() -> None:
    """
    Comfort noise costs nothing, and what is no Opus is counted and dropped.
    """
    stem = StemPages("stem-0001")
    pages = stem.close_pages(
        [(a_packet(0, b"\xf8"), 0), (a_packet(960, b"\xfb\x00\x01"), 0)]
    )

    assert pages == []
    assert stem.malformed == 1


def test_large_packets_fill_several_pages() -> None:
    """
    No page holds more than Ogg allows, whatever the bit rate.
    """
    big = b"\xf8" + bytes(1_274)
    pages = StemPages("stem-0001").close_pages(
        (a_packet(i * 960, big), i * 960) for i in range(100)
    )

    assert sum(len(p.packets) for p in audio_pages(pages)) == 100
    assert len(pages) > 3


def test_drift_is_followed_in_small_steps() -> None:
    """
    Two hours of a clock that is 100 ppm fast stay within 10 ms of their place.
    """
    placing, worst, end = Placing(), 0, None
    for second in range(0, 7_200, 2):
        arrival = second * 48_000
        timestamp = round(arrival * 1.0001)
        at = placing.observe(timestamp & 0xFFFF_FFFF, arrival)
        assert at is not None
        worst = max(worst, abs(placing.position(at, follows=end is not None) - arrival))
        end = at

    assert worst <= HOP_SAMPLES + 10


def test_jitter_does_not_move_anything() -> None:
    """
    Packets that come up to 80 ms late are placed by those that came in time.
    """
    placing = Placing()
    late = [0, 3_800, 0, 1_900, 2_500, 0, 700]
    at = [placing.observe(i * 960, 4_800 + i * 960 + d) for i, d in enumerate(late)]

    assert [placing.position(a or 0, follows=True) for a in at] == [
        4_800 + i * 960 for i in range(len(late))
    ]


def test_a_very_late_packet_is_no_new_beginning() -> None:
    """
    One that comes two seconds late is left out, and nothing else moves.
    """
    stem = StemPages("stem-0001")
    on_time = [(a_packet(t), 4_800 + t) for t in range(0, 48_000, 960) if t != 9_600]
    late = (a_packet(9_600), 4_800 + 9_600 + 96_000)
    after = [(a_packet(t), 4_800 + t) for t in range(48_000, 96_000, 960)]
    pages = audio_pages(stem.close_pages(on_time))
    pages += audio_pages(stem.close_pages([late, *after]))

    assert stem.late == 1
    assert [page.granule for page in pages] == [
        4_800 + e for e in (9_600, 48_000, 96_000)
    ]


def test_only_the_key_opens_a_page_and_only_in_its_place() -> None:
    """
    Another key, stem, epoch or number, or one changed byte: nothing opens.
    """
    key, page = new_key(), b"OggS and voice"
    record = PageSeal(key, PLACE).seal(5, page)
    (sealed,) = records(record)
    others = [
        PageSeal(new_key(), PLACE),
        PageSeal(
            key, StemPlace(recording_id=PLACE.recording_id, stem=PLACE.stem, epoch=4)
        ),
    ]

    assert PageSeal(key, PLACE).open(sealed) == page
    assert page not in record
    for other in others:
        with pytest.raises(DamagedPage):
            other.open(sealed)
    for bad in (
        SealedPage(6, sealed.sealed),
        SealedPage(5, sealed.sealed[:-1] + bytes([sealed.sealed[-1] ^ 1])),
    ):
        with pytest.raises(DamagedPage):
            PageSeal(key, PLACE).open(bad)


def test_a_torn_file_keeps_its_whole_pages() -> None:
    """
    A process killed while it writes loses that page alone.
    """
    seal = PageSeal(new_key(), PLACE)
    data = b"".join(seal.seal(number, bytes([number]) * 50) for number in range(3))

    for cut in range(len(data) // 3 * 2, len(data)):
        assert [page.number for page in records(data[:cut])] == [0, 1]


def test_silence_is_left_out_but_not_the_breath_before_a_word() -> None:
    """
    Packets far below a voice are dropped, but for 80 ms before and 500 ms after one.
    """
    levels = [120] * 50 + [30] * 10 + [120] * 50
    speech = SpeechFilter()
    kept = [
        arrival
        for number, level in enumerate(levels)
        for _, arrival in speech.passed(a_packet(0, level_dbov=level), number)
    ]

    assert kept == list(range(50 - LEAD_IN_PACKETS, 60 + 25))


def test_who_tells_no_level_is_kept() -> None:
    """
    Without RFC 6464 everything is stored: no word is lost to a guess.
    """
    speech = SpeechFilter()

    assert len(speech.passed(a_packet(0), 1)) == 1

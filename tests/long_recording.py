"""Recordings of any length, made in seconds: looped speech on a made-up clock."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import obstore

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.opus import Encoder
from media_worker.recording.journal import Journal
from media_worker.recording.opening import Stores
from media_worker.recording.sealing import PageSeal, StemPlace, new_key
from media_worker.recording.stem_pages import StemPages
from spaces_contract import recording_objects as names
from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from spaces_contract.recording_objects import StemObject
from tests.audio import Samples, blocks_of
from tests.speech import DATA, load
from tests.stems import RECORDING, stem_of

PAGE_PACKETS = 25
OBJECT_PAGES = 15
TURN_PACKETS = 500  # 10 s


def encoded(said: Samples) -> list[bytes]:
    """Return the packets of somebody's client."""
    with Encoder() as encoder:
        return [encoder.encode(block) for block in blocks_of(said)]


@dataclass(frozen=True, slots=True)
class Talker:
    """
    Somebody who talks every `every` turns of 10 s, beginning with turn `first`.

    Args:
        drift: How much faster their clock runs than ours: 1e-4 is 100 ppm.
    """

    user_id: str
    packets: Sequence[bytes]
    first: int = 0
    every: int = 1
    drift: float = 0.0

    def arrivals(
        self, seconds: int, began_s: int
    ) -> Iterator[tuple[ReceivedPacket, int]]:
        """Yield the packets of their turns, each with the recording clock."""
        for number in range(seconds * 50):
            turn = number // TURN_PACKETS
            if turn % self.every != self.first:
                continue
            timestamp = number * BLOCK_SAMPLES
            yield (
                ReceivedPacket(
                    ssrc=1,
                    sequence_number=number & 0xFFFF,
                    timestamp=timestamp & 0xFFFF_FFFF,
                    payload=self.packets[number % len(self.packets)],
                    level_dbov=None,
                    arrival_s=0.0,
                ),
                began_s * SAMPLE_RATE_HZ + round(timestamp / (1 + self.drift)),
            )


def speech_packets() -> list[list[bytes]]:
    """Return the recorded readings of `tests/data`, encoded."""
    return [encoded(load(path)) for path in sorted(DATA.glob("*.wav"))]


def store_recording(
    stores: Stores,
    talkers: Sequence[Talker],
    *,
    seconds: int,
    epoch: int = 1,
    began_s: int = 0,
) -> None:
    """Store what a worker would have stored of these people in one epoch."""
    for talker in talkers:
        _store_stem(stores, talker, _objects(talker, seconds, began_s), epoch)
    opened = began_s * SAMPLE_RATE_HZ
    alive = opened + seconds * SAMPLE_RATE_HZ
    journal = Journal(epoch=epoch, opened=opened, alive=alive, closed=True)
    obstore.put(stores.objects, names.journal(RECORDING, 1, epoch), journal.to_bytes())


def _store_stem(
    stores: Stores, talker: Talker, objects: Iterator[list[bytes]], epoch: int
) -> None:
    stem = stem_of(talker.user_id)
    place = StemPlace(recording_id=RECORDING, stem=stem, epoch=epoch)
    key = new_key()
    asyncio.run(stores.keys.put(place, key))
    seal, number = PageSeal(key, place), 0
    for seq, pages in enumerate(objects):
        data = b"".join(seal.seal(number + i, page) for i, page in enumerate(pages))
        number += len(pages)
        item = StemObject(
            recording_id=RECORDING, version=1, epoch=epoch, stem=stem, seq=seq
        )
        obstore.put(stores.objects, item.name, data)


def _objects(talker: Talker, seconds: int, began_s: int) -> Iterator[list[bytes]]:
    stem = StemPages(stem_of(talker.user_id))
    batch: list[tuple[ReceivedPacket, int]] = []
    pages: list[bytes] = []
    for arrival in talker.arrivals(seconds, began_s):
        batch.append(arrival)
        if len(batch) == PAGE_PACKETS:
            pages += stem.close_pages(batch)
            batch = []
        if len(pages) >= OBJECT_PAGES:
            yield pages
            pages = []
    pages += stem.close_pages(batch)
    if pages:
        yield pages

"""Reads a stem back: its pages of one epoch, in order, one object at a time."""

import hashlib
import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import obstore
from obstore.store import ObjectStore

from spaces_contract.recording import StemId
from spaces_contract.recording_objects import StemObject, parse_stem_object

from ..audio.opus_packet import MalformedPacket, duration_samples
from . import ogg
from .placed_pages import PlacedPage
from .sealing import DamagedPage, PageSeal, SealedPage, records

_HEADERS = (b"OpusHead", b"OpusTags")


@dataclass(slots=True)
class StemReader:
    """
    Pages of one stem in one epoch.

    Args:
        objects: In order.

    Attributes:
        digest: SHA-256 over the objects that were read, as they are stored.
        read: Their names.
        damaged: Pages that were changed, or are no audio.
    """

    store: ObjectStore
    seal: PageSeal
    objects: list[StemObject]
    damaged: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    read: list[str] = field(default_factory=list)

    @property
    def is_damaged(self) -> bool:
        """Whether pages were changed, or whole objects are missing before others."""
        return self.damaged > 0 or [o.seq for o in self.objects] != list(
            range(len(self.objects))
        )

    def from_position(self, position: int) -> "StemReader":
        """
        Return a reader of what is at `position` of the recording clock, or later.

        It may begin earlier, by an object; it reads a few to find where.

        Raises:
            StoreErrors: an object is not to be had.
        """
        later = bisect_right(
            range(len(self.objects)), position, key=self._first_position
        )
        return self._beginning_at(max(0, later - 1))

    def _beginning_at(self, index: int) -> "StemReader":
        return replace(
            self, objects=self.objects[index:], digest=hashlib.sha256(), read=[]
        )

    def _first_position(self, index: int) -> int:
        """Return where the audio of an object begins, or of the next that has any."""
        first = next(self._beginning_at(index).pages(), None)
        return sys.maxsize if first is None else first.start

    def pages(self) -> Iterator[PlacedPage]:
        """
        Yield the pages that hold audio, as they were placed; to be run through once.

        Raises:
            StoreErrors: an object is not to be had.
        """
        number = -1
        for item in self.objects:
            data = bytes(obstore.get(self.store, item.name).bytes())
            self.digest.update(data)
            self.read.append(item.name)
            for record in records(data):
                if record.number <= number:
                    continue
                page = self._opened(record)
                if page is None:
                    self.damaged += 1
                    continue
                number = record.number
                if page.packets[0][:8] not in _HEADERS:
                    yield _placed(page)

    def _opened(self, record: SealedPage) -> ogg.Page | None:
        try:
            page = ogg.read_page(self.seal.open(record))
        except (DamagedPage, ogg.MalformedPage):
            return None
        return page if page.packets else None


def stem_objects(
    names: Iterable[str], stems: Iterable[StemId], *, up_to_version: int
) -> dict[tuple[StemId, int], list[StemObject]]:
    """Return the objects of these stems by stem and epoch, each list in order."""
    wanted = set(stems)
    found: dict[tuple[StemId, int], list[StemObject]] = {}
    for name in names:
        item = parse_stem_object(name)
        if item and item.stem in wanted and item.version <= up_to_version:
            found.setdefault((item.stem, item.epoch), []).append(item)
    for items in found.values():
        items.sort(key=lambda item: item.seq)
    return found


def _placed(page: ogg.Page) -> PlacedPage:
    samples = sum(_samples(packet) for packet in page.packets)
    return PlacedPage(
        start=page.granule - samples,
        end=page.granule,
        packets=page.packets,
    )


def _samples(packet: bytes) -> int:
    try:
        return duration_samples(packet)
    except MalformedPacket:
        return 0

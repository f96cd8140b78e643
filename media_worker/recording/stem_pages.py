"""Turns what passed the gate into Ogg pages on the recording clock."""

from collections.abc import Iterable, Iterator
from typing import Final
from zlib import crc32

from spaces_contract.media import BLOCK_SAMPLES

from ..audio.frames import ReceivedPacket
from ..audio.opus_packet import MalformedPacket, duration_samples, is_dtx
from . import ogg
from .placing import PlacedPacket, Placing

_SERIAL_LABEL: Final = "parley-stem/"


class StemPages:
    """
    The Ogg stream of one stem in one epoch.

    A page holds packets that follow one another without a hole; its granule position
    is where it ends on the recording clock.  What comes after the page that it
    belongs to is dropped, as a page that was closed is never changed.

    Attributes:
        late: Packets dropped for that.
        malformed: Packets that are no Opus.
    """

    def __init__(self, stem: str) -> None:
        self._serial = crc32((_SERIAL_LABEL + stem).encode())
        self._number = 0
        self._ssrc: int | None = None
        self._placing = Placing()
        self._end: int | None = None  # of the last page, on the sender's timeline
        self.late = 0
        self.malformed = 0

    def close_pages(self, packets: Iterable[tuple[ReceivedPacket, int]]) -> list[bytes]:
        """
        Return the pages of these packets, given in order of arrival.

        Args:
            packets: Each with the recording clock at which it came, in samples.
        """
        pages: list[bytes] = []
        placed: list[PlacedPacket] = []
        for packet, arrival in packets:
            at = self._observed(packet, arrival)
            if at is None:  # whatever came before belongs to the old timeline
                pages += self._pages_of(placed)
                placed = []
                at = self._restarted(packet, arrival)
            item = _placed(at, packet.payload)
            if item is None:
                self.malformed += 1
            elif not is_dtx(packet.payload):
                placed.append(item)
        return pages + self._pages_of(placed)

    def _observed(self, packet: ReceivedPacket, arrival: int) -> int | None:
        if packet.ssrc != self._ssrc:
            return None
        return self._placing.observe(packet.timestamp, arrival)

    def _restarted(self, packet: ReceivedPacket, arrival: int) -> int:
        self._ssrc, self._placing, self._end = packet.ssrc, Placing(), None
        return self._placing.observe(packet.timestamp, arrival) or 0

    def _pages_of(self, placed: list[PlacedPacket]) -> list[bytes]:
        pages: list[bytes] = []
        for run in self._runs(placed):
            start = self._placing.position(run[0].at, follows=run[0].at == self._end)
            self._end = run[-1].at + run[-1].samples
            granule = start + self._end - run[0].at
            # Before the recording's beginning, by more than clocks differ.
            if start < -BLOCK_SAMPLES:
                continue
            if not self._number:
                pages += ogg.header_pages(self._serial)
                self._number = len(pages)
            payloads = [packet.payload for packet in run]
            pages.append(ogg.page(self._serial, self._number, granule, payloads))
            self._number += 1
        return pages

    def _runs(self, placed: list[PlacedPacket]) -> Iterator[list[PlacedPacket]]:
        """Yield packets that follow one another, as many as a page may hold."""
        run: list[PlacedPacket] = []
        filled = 0
        end = self._end
        for packet in sorted(placed, key=lambda item: item.at):
            if end is not None and packet.at < end:
                self.late += 1
                continue
            size = ogg.segments(packet.payload)
            if run and (packet.at != end or filled + size > ogg.MAX_SEGMENTS):
                yield run
                run, filled = [], 0
            run.append(packet)
            filled += size
            end = packet.at + packet.samples
        if run:
            yield run


def _placed(at: int, payload: bytes) -> PlacedPacket | None:
    try:
        samples = duration_samples(payload)
    except MalformedPacket:
        return None
    if ogg.segments(payload) > ogg.MAX_SEGMENTS:
        return None
    return PlacedPacket(at=at, samples=samples, payload=payload)

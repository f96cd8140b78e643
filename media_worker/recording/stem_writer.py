"""Writes one stem's sealed pages to the spool, in files of a few seconds."""

from typing import Final

from spaces_contract.recording import StemId
from spaces_contract.recording_objects import StemObject

from .sealing import PageSeal, StemPlace
from .speech_filter import Arrived
from .spool import Spool
from .stem_pages import StemPages

ROTATE_S: Final = 7.5  # stored before `UPLOAD_S` are over


class StemWriter:
    """
    One stem in one epoch, from packets to files named as their objects.

    All calls may block; they are made one after another.

    Args:
        seal: With the stem's key, which nobody else holds.
    """

    def __init__(self, place: StemPlace, seal: PageSeal, spool: Spool) -> None:
        self._place = place
        self._seal = seal
        self._spool = spool
        self._pages = StemPages(place.stem)
        self._number = 0
        self._seq = 0
        self._open: tuple[str, float] | None = None  # name, and since when

    @property
    def stem(self) -> StemId:
        """Whose pages these are."""
        return self._place.stem

    @property
    def open_name(self) -> str | None:
        """Name of the file that is still growing."""
        return self._open[0] if self._open else None

    def write(self, batch: list[Arrived], *, version: int, now_s: float) -> None:
        """
        Add the pages of a batch.

        Raises:
            SpoolFull: they are lost.
        """
        pages = self._pages.close_pages(batch)
        if not pages:
            return
        # A number is used up even if its page is lost: it must never seal another.
        numbers = range(self._number, self._number + len(pages))
        self._number = numbers.stop
        sealed = (
            self._seal.seal(number, page)
            for number, page in zip(numbers, pages, strict=True)
        )
        self._spool.append(self._name(version, now_s), b"".join(sealed))

    def rotate(self, now_s: float, *, finish: bool = False) -> None:
        """End the file that is growing, once it is old enough or all is over."""
        if self._open and (finish or now_s - self._open[1] >= ROTATE_S):
            self._open = None
            self._seq += 1

    def _name(self, version: int, now_s: float) -> str:
        if self._open is None:
            item = StemObject(
                recording_id=self._place.recording_id,
                version=version,
                epoch=self._place.epoch,
                stem=self._place.stem,
                seq=self._seq,
            )
            self._open = item.name, now_s
        return self._open[0]

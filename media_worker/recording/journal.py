"""What one epoch did of a recording: since when, until when, and what it missed."""

import json
from dataclasses import asdict, dataclass, field
from typing import Final, Self

from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording import GapReason, StemId

JOURNAL_SCHEMA: Final = 1
MERGE_SAMPLES: Final = SAMPLE_RATE_HZ  # refusals within a second are one gap


class InvalidJournal(ValueError):
    """The bytes are no journal."""


@dataclass(slots=True, kw_only=True)
class Gap:
    """Audio of one stem that was said and is not stored; on the recording clock."""

    stem: StemId
    reason: GapReason
    start: int
    end: int


@dataclass(slots=True, kw_only=True)
class Journal:
    """
    One epoch's journal; times in samples of the recording clock.

    Args:
        opened: When this epoch began to record.
        alive: Until when it certainly did.
        closed: It ended in good order.
        stored: Until when all pages are in the store, in the copy that is there while
            the worker lives; None: as long as it was alive.
    """

    epoch: int
    opened: int
    alive: int
    closed: bool = False
    gaps: list[Gap] = field(default_factory=list)
    stored: int | None = None

    @property
    def kept(self) -> int:
        """Until when nothing is missing that no gap tells of."""
        return self.alive if self.stored is None else self.stored

    def note_gap(self, stem: StemId, reason: GapReason, start: int, end: int) -> None:
        """Add a missing interval, to the last one where it goes on."""
        for gap in reversed(self.gaps):
            if gap.stem == stem:
                if gap.reason is reason and start - gap.end <= MERGE_SAMPLES:
                    gap.end = max(gap.end, end)
                    return
                break
        self.gaps.append(Gap(stem=stem, reason=reason, start=start, end=end))

    def forget(self, stem: StemId) -> None:
        """Drop what is known of a stem."""
        self.gaps = [gap for gap in self.gaps if gap.stem != stem]

    def to_bytes(self) -> bytes:
        """Return the stored object."""
        return json.dumps({"schema": JOURNAL_SCHEMA, **asdict(self)}).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """
        Read a stored object.

        Raises:
            InvalidJournal: it is none.
        """
        try:
            fields = json.loads(data)
            gaps = [
                Gap(
                    stem=StemId(str(gap["stem"])),
                    reason=GapReason(gap["reason"]),
                    start=int(gap["start"]),
                    end=int(gap["end"]),
                )
                for gap in fields["gaps"]
            ]
            stored = fields.get("stored")
            return cls(
                epoch=int(fields["epoch"]),
                opened=int(fields["opened"]),
                alive=int(fields["alive"]),
                closed=bool(fields["closed"]),
                gaps=gaps,
                stored=None if stored is None else int(stored),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidJournal(repr(error)) from error

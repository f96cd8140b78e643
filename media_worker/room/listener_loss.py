"""What share of listeners loses packets, summed up over all workers of a Space."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

# Of a listener's packets; less than what is heard (`spread.AUDIBLE_LOSS`), so that FEC
# is there before a loss that grows is.
FEC_HELPS_FROM: Final = 0.02


@dataclass(frozen=True, slots=True)
class ListenerLoss:
    """
    How the listeners of one worker, or of several, fare.

    Args:
        listeners: How many there are.
        lossy: How many of them lose `FEC_HELPS_FROM` or more.
        percent: What the typical one of those loses, whole; 0 where there is none.
    """

    listeners: int = 0
    lossy: int = 0
    percent: int = 0

    @classmethod
    def of(cls, fractions: Iterable[float]) -> Self:
        """Return it of what each listener last reported, 0 to 1."""
        reported = list(fractions)
        lossy = sorted(fraction for fraction in reported if fraction >= FEC_HELPS_FROM)
        typical = lossy[len(lossy) // 2] if lossy else 0.0
        return cls(len(reported), len(lossy), round(100 * typical))

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """Return it of all listeners; the typical one's is the median's part's."""
        lossy = sum(part.lossy for part in parts)
        seen, percent = 0, 0
        for part in sorted(parts, key=lambda part: part.percent):
            seen += part.lossy
            if 2 * seen > lossy:
                percent = part.percent
                break
        return cls(sum(part.listeners for part in parts), lossy, percent)

    @property
    def share(self) -> float:
        """How many of all lose packets, 0 to 1."""
        return self.lossy / self.listeners if self.listeners else 0.0

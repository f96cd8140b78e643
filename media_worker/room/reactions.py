"""How often each reaction came in this epoch."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.reactions import EMOJIS, Reaction

MAX_TOTAL: Final = 2**53 - 1  # what every JSON reader takes for a whole number


class ReactionTally:
    """
    Totals only: nobody's name is kept, and a reader shows what was added since.

    Attributes:
        totals: Emoji -> times; only those that came.
    """

    def __init__(self) -> None:
        self.totals: Mapping[str, int] = {}

    def add(self, reactions: Iterable[Reaction], *, removed: frozenset[UserId]) -> None:
        """Count a batch, without what people sent who were removed."""
        totals = Counter(self.totals)
        for each in reactions:
            if each.uid not in removed:
                totals[each.emoji] += each.count
        self.totals = {
            emoji: min(totals[emoji], MAX_TOTAL) for emoji in EMOJIS if totals[emoji]
        }

"""The same random operations on two servers, and where their results differ."""

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from tests.conformance.firestore.servers import Client
from tests.fuzz.firestore.operations import Operation, Source, run

# Ours requires composite indexes, which Google's emulator makes as needed.  What the
# generated indexes file leaves out is refused, with this name, and is no difference.
REFUSED: Final = "error FailedPrecondition"


@dataclass(frozen=True, slots=True)
class Difference:
    """One operation that did not end alike."""

    number: int
    operation: Operation
    ours: Any
    theirs: Any

    def __str__(self) -> str:
        return (
            f"{self.number} {self.operation}\n  ours   {self.ours}\n"
            f"  theirs {self.theirs}"
        )


def compare(ours: Client, theirs: Client, *, seed: int, count: int) -> list[Difference]:
    """Make `count` operations on both; return the differences."""
    found = []
    for number, operation in enumerate(islice(Source(seed), count)):
        left, right = run(ours, operation), run(theirs, operation)
        if left not in (right, REFUSED):
            found.append(Difference(number, operation, left, right))
    return found

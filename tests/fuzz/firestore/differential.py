"""The same random operations on two servers, and where their results differ."""

import math
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from tests.conformance.firestore.servers import Client
from tests.fuzz.firestore.listens import Side, with_listens
from tests.fuzz.firestore.operations import Operation

# Ours requires composite indexes, which Google's emulator makes as needed.  What the
# generated indexes file leaves out is refused, with this name, and is no difference.
REFUSED: Final = "error FailedPrecondition"
# What no index could serve is an invalid argument of a query, as ours always says; of a
# listen Google's emulator says that it is a failed precondition.
INVALID: Final = "error InvalidArgument"


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


def compare(
    ours: Client, theirs: Client, *, seed: int, count: int, within_s: float = math.inf
) -> Iterator[Difference]:
    """Make `count` operations on both, or what time allows; yield the differences."""
    end_s = time.monotonic() + within_s
    with closing(Side(ours)) as here, closing(Side(theirs)) as there:
        for number, operation in enumerate(islice(with_listens(seed), count)):
            if time.monotonic() > end_s:
                return
            left, right = here.run(operation), there.run(operation)
            if left == REFUSED and operation.name == "listen":
                there.drop(operation.arguments[0])
            elif operation.name == "listen" and (left, right) == (INVALID, REFUSED):
                continue
            elif left not in (right, REFUSED):
                yield Difference(number, operation, left, right)

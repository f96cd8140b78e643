"""Which faults come when: random, the same for the same seed."""

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FIRST_S: Final = 10.0
RECOVERY_S: Final = 45.0  # from the last fault to the end: what it breaks must mend
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 10.0, 30.0
SLOW_S: Final = (10.0, 40.0)
LOSS: Final = (0.02, 0.10)
DELAY_S: Final = (0.03, 0.15)


class FaultKind(StrEnum):
    """What breaks."""

    WORKER = "a worker is killed"
    FIRESTORE = "Firestore is killed"
    TASKS = "Cloud Tasks is killed"
    STORE = "the object store is killed"
    NETWORK = "networks are slow"


WEIGHTS: Final = {
    FaultKind.WORKER: 3,
    FaultKind.FIRESTORE: 2,
    FaultKind.TASKS: 1,
    FaultKind.STORE: 2,
    FaultKind.NETWORK: 2,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One fault.

    Args:
        at_s: From the beginning.
        pick: Which of several things it hits: a share of them, from 0 to 1.
        for_s: How long it lasts: the store stays away, a network stays slow.
        loss: Share of datagrams that a slow network loses.
        delay_s: What it delays them by; as much jitter comes on top.
    """

    at_s: float
    kind: FaultKind
    pick: float
    for_s: float
    loss: float = 0.0
    delay_s: float = 0.0


def schedule(seed: int, duration_s: float) -> list[Fault]:
    """Return faults in the order of their times: one of each kind first, then any."""
    chance = random.Random(seed)
    first = list(FaultKind)
    chance.shuffle(first)
    # What takes longest to mend comes soon, so that a short soak has it too.
    first.sort(key=lambda kind: kind is not FaultKind.WORKER)
    faults = []
    at_s = FIRST_S
    while at_s < duration_s - RECOVERY_S:
        kind = first.pop(0) if first else _any(chance)
        faults.append(_fault(at_s, kind, chance))
        at_s += chance.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S)
    return faults


def _any(chance: random.Random) -> FaultKind:
    return chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]


def _fault(at_s: float, kind: FaultKind, chance: random.Random) -> Fault:
    slow = kind is FaultKind.NETWORK
    longest_s = {FaultKind.STORE: 8.0, FaultKind.NETWORK: SLOW_S[1]}.get(kind, 0.0)
    return Fault(
        at_s=at_s,
        kind=kind,
        pick=chance.random(),
        for_s=chance.uniform(min(longest_s, SLOW_S[0] if slow else 1.0), longest_s),
        loss=chance.uniform(*LOSS) if slow else 0.0,
        delay_s=chance.uniform(*DELAY_S) if slow else 0.0,
    )

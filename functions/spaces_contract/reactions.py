"""
Reactions: which there are, and how functions hand them to the worker.

Nobody's reaction is stored.  Functions collect them for a moment and send one batch:

    POST {control_url}/reactions   {"reactions": [{"uid", "emoji", "count"}]}  -> 204

under a forward whose method is `REACT`.  The worker leaves out those of people who
were removed, and shows totals in `room.json`.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Final

from .ids import UserId

EMOJIS: Final = ("💜", "😂", "😮", "😢", "👏", "🔥", "💯", "👋")
REACT: Final = "REACT"  # `method` of the forward
MAX_BATCH: Final = 100  # entries; a batch fits what a worker reads
MAX_COUNT: Final = 1_000  # of one emoji by one person in one batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """How often one person sent one emoji."""

    uid: UserId
    emoji: str
    count: int


def to_body(reactions: Iterable[Reaction]) -> bytes:
    """Return the body of the control call."""
    return json.dumps({"reactions": [asdict(each) for each in reactions]}).encode()


def from_body(body: bytes) -> list[Reaction]:
    """
    Read the body of the control call.

    Raises:
        ValueError: it is not a batch of reactions.
    """
    try:
        entries = json.loads(body)["reactions"]
        if not isinstance(entries, list) or len(entries) > MAX_BATCH:
            raise ValueError("not a batch")
        return [_reaction(**entry) for entry in entries]
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def _reaction(*, uid: object, emoji: object, count: object) -> Reaction:
    if not isinstance(uid, str) or emoji not in EMOJIS or not isinstance(emoji, str):
        raise ValueError("not a reaction")
    if type(count) is not int or not 1 <= count <= MAX_COUNT:
        raise ValueError("not a count")
    return Reaction(uid=UserId(uid), emoji=emoji, count=count)

"""
People as numbers: clients made for the X API take a user's id for an integer.

A number is made from the uid alone, so that it needs no counter and no table; of a
hundred million people two share one with a probability of 0.05 %.
"""

import hashlib
import re
from typing import Final

from spaces_contract.ids import UserId

NUMBER_PATTERN: Final = re.compile(r"[0-9]{1,19}")


def number_of(user_id: UserId) -> int:
    """Return the number of a person: 63 bits, never 0."""
    digest = hashlib.sha256(user_id.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1 or 1

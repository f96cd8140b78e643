"""Time and randomness from the machine."""

import secrets
from datetime import UTC, datetime

from spaces_contract.ids import SPACE_ID_ALPHABET, SPACE_ID_LENGTH, SpaceId


def utc_now() -> datetime:
    """Return the time, aware, in UTC."""
    return datetime.now(UTC)


def random_space_id() -> SpaceId:
    """Return an id that nobody can guess: about 76 bits."""
    letters = (secrets.choice(SPACE_ID_ALPHABET) for _ in range(SPACE_ID_LENGTH))
    return SpaceId("".join(letters))


def random_token() -> str:
    """Return 128 random bits in letters that fit URLs and document ids."""
    return secrets.token_urlsafe(16)

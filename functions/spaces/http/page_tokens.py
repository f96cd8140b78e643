"""Where a page ended, as a text that clients hand back and need not understand."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Final

from spaces_contract.ids import SPACE_ID_PATTERN, USER_ID_PATTERN

from ..service.ports import Cursor
from .errors import InvalidPageToken

# Lists by name, each with the shape of its entries' ids: a token is hostile input.
SPACES: Final = "spaces"
PARTICIPANTS: Final = "participants"
SPEAK_REQUESTS: Final = "speak_requests"
INVITES: Final = "invites"
INBOX: Final = "inbox"
ID_PATTERNS: Final[dict[str, re.Pattern[str]]] = {
    SPACES: SPACE_ID_PATTERN,
    PARTICIPANTS: USER_ID_PATTERN,
    SPEAK_REQUESTS: USER_ID_PATTERN,
    INVITES: USER_ID_PATTERN,
    INBOX: SPACE_ID_PATTERN,
}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
MAX_MICROS: Final = 10**17  # the year 5138


def encode(cursor: Cursor, *, of: str) -> str:
    """Return the token of `cursor` in the list named `of`."""
    # To the microsecond: a page must go on exactly where the last one ended.
    micros = (cursor.at - EPOCH) // MICROSECOND
    data = json.dumps([of, micros, cursor.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def decode(token: str | None, *, of: str) -> Cursor | None:
    """
    Return the cursor; None for the first page.

    Raises:
        InvalidPageToken: it is not a token of the list named `of`.
    """
    if token is None:
        return None
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        name, micros, entry_id = json.loads(base64.urlsafe_b64decode(padded))
        known = name == of and type(micros) is int and 0 <= micros < MAX_MICROS
        if not known or not ID_PATTERNS[of].fullmatch(entry_id):
            raise InvalidPageToken
        return Cursor(EPOCH + micros * MICROSECOND, entry_id)
    except (ValueError, TypeError, RecursionError):
        raise InvalidPageToken from None

"""Where a page ended, as a text that clients hand back and need not understand."""

import base64
import json
import re
from collections.abc import Collection
from typing import Any, Final

from spaces_contract.ids import SPACE_ID_PATTERN, USER_ID_PATTERN

from ..domain.feed import Place, Section, instant_of, micros
from ..service.ports import Cursor
from .errors import InvalidPageToken

# Lists by name, each with the shape of its entries' ids: a token is hostile input.
PARTICIPANTS: Final = "participants"
SPEAK_REQUESTS: Final = "speak_requests"
INVITES: Final = "invites"
INBOX: Final = "inbox"
RECEIPTS: Final = "receipts"
FOLLOWING: Final = "following"
FOLLOWERS: Final = "followers"
BLOCKS: Final = "blocks"
REPORTS: Final = "reports"
REPORT_ID_PATTERN: Final = re.compile(r"[0-9a-f]{32}")
ID_PATTERNS: Final[dict[str, re.Pattern[str]]] = {
    PARTICIPANTS: USER_ID_PATTERN,
    SPEAK_REQUESTS: USER_ID_PATTERN,
    INVITES: USER_ID_PATTERN,
    INBOX: SPACE_ID_PATTERN,
    RECEIPTS: SPACE_ID_PATTERN,
    FOLLOWING: USER_ID_PATTERN,
    FOLLOWERS: USER_ID_PATTERN,
    BLOCKS: USER_ID_PATTERN,
    f"{REPORTS}-open": REPORT_ID_PATTERN,
    f"{REPORTS}-resolved": REPORT_ID_PATTERN,
}
MAX_VALUE: Final = 10**17  # in microseconds, the year 5138


def encode(cursor: Cursor, *, of: str) -> str:
    """Return the token of `cursor` in the list named `of`."""
    # To the microsecond: a page must go on exactly where the last one ended.
    return _encode(of, micros(cursor.at), cursor.id)


def decode(token: str | None, *, of: str) -> Cursor | None:
    """
    Return the cursor; None for the first page, which an empty token names too.

    Raises:
        InvalidPageToken: it is not a token of the list named `of`.
    """
    if not token:
        return None
    value, entry_id = _decode(token, {of}, ID_PATTERNS[of])[1:]
    return Cursor(instant_of(value), entry_id)


def encode_place(place: Place | None) -> str | None:
    """Return the token of a place in a list of Spaces; None at its end."""
    if place is None:
        return None
    return _encode(place.section, place.value, place.id)


def decode_place(token: str | None, sections: Collection[Section]) -> Place | None:
    """
    Return the place; None for the first page, which an empty token names too.

    Raises:
        InvalidPageToken: it is not a token of a list with these sections.
    """
    if not token:
        return None
    name, value, space_id = _decode(token, set(sections), SPACE_ID_PATTERN)
    return Place(Section(name), value, space_id)


def _encode(*parts: str | int) -> str:
    data = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(data.encode()).decode().rstrip("=")


def _decode(
    token: str, names: Collection[str], ids: re.Pattern[str]
) -> tuple[str, int, str]:
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        parts: Any = json.loads(base64.urlsafe_b64decode(padded))
        name, value, entry_id = parts
        sound = name in names and type(value) is int and 0 <= value < MAX_VALUE
        if not sound or not ids.fullmatch(entry_id):
            raise InvalidPageToken
        return name, value, entry_id
    except (ValueError, TypeError, RecursionError):
        raise InvalidPageToken from None

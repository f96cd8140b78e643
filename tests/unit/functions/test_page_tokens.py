"""Page tokens: exact for whoever has one, harmless for whoever makes one up."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.http import page_tokens
from spaces.http.errors import InvalidPageToken
from spaces.service.ports import Cursor
from tests.builders import NOW

times = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(5000, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
space_ids = st.from_regex(r"[1-9A-Za-z]{13}", fullmatch=True)


@given(times, space_ids)
def test_a_token_comes_back_as_it_was(at: datetime, space_id: str) -> None:
    """
    To the microsecond, so that no entry is lost or repeated between pages.
    """
    cursor = Cursor(at, space_id)

    token = page_tokens.encode(cursor, of=page_tokens.INBOX)

    assert page_tokens.decode(token, of=page_tokens.INBOX) == cursor
    with contextlib.suppress(InvalidPageToken):
        page_tokens.decode(token, of=page_tokens.PARTICIPANTS)
        raise AssertionError("a token is good for its own list only")


@pytest.mark.parametrize("of", [page_tokens.PARTICIPANTS, page_tokens.INVITES])
def test_a_token_names_no_reserved_document(of: str) -> None:
    """
    An id that Firestore keeps for itself is refused before it is asked for.
    """
    token = page_tokens.encode(Cursor(NOW, "__x__"), of=of)

    with pytest.raises(InvalidPageToken):
        page_tokens.decode(token, of=of)


@given(st.text())
def test_a_made_up_token_is_refused(token: str) -> None:
    """
    Any text is a token or is refused; nothing else happens.
    """
    with contextlib.suppress(InvalidPageToken):
        page_tokens.decode(token, of=page_tokens.INBOX)

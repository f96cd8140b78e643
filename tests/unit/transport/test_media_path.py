"""The rule by which media follows a client from address to address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_worker.transport.addresses import Address, address
from media_worker.transport.media_path import (
    CONSENT_S,
    DOUBT_S,
    SILENCE_S,
    MediaPath,
)

WIFI = address("198.51.100.7", 40_000)
CELL = address("203.0.113.9", 50_000)


@pytest.mark.parametrize(
    ("nominates", "silent_s", "moves"),
    [
        (False, 0.0, False),  # a phone pings its backup path
        (False, SILENCE_S - 0.001, False),
        (False, SILENCE_S, True),  # the selected one is gone
        (True, 0.0, True),
        (True, SILENCE_S, True),
    ],
)
def test_when_another_address_takes_over(
    nominates: bool, silent_s: float, moves: bool
) -> None:
    """
    USE-CANDIDATE moves media at once, a plain request only after 5 s of silence.
    """
    path = MediaPath(0.0)
    path.request_received(WIFI, nominates=True, now_s=10.0)

    moved = path.request_received(CELL, nominates=nominates, now_s=10.0 + silent_s)

    assert moved is moves
    assert path.selected == (CELL if moves else WIFI)


def test_the_first_authenticated_request_selects() -> None:
    """
    Before anything is selected, there is nothing to protect.
    """
    path = MediaPath(0.0)

    assert path.request_received(WIFI, nominates=False, now_s=0.1)
    assert path.selected == WIFI


def test_media_from_the_selected_address_keeps_it() -> None:
    """
    A selected address that sends authentic packets is not silent.
    """
    path = MediaPath(0.0)
    path.request_received(WIFI, nominates=True, now_s=0.0)
    path.media_received(WIFI, 4.0)
    path.media_received(CELL, 4.5)

    assert not path.request_received(CELL, nominates=False, now_s=8.9)
    assert path.request_received(CELL, nominates=False, now_s=9.0)


def test_a_session_lives_by_requests_alone() -> None:
    """
    30 s after the last authenticated request the session expires, media or not.
    """
    path = MediaPath(100.0)
    assert path.expires_s == 100.0 + CONSENT_S

    path.request_received(WIFI, nominates=False, now_s=120.0)
    path.media_received(WIFI, 140.0)

    assert path.expires_s == 120.0 + CONSENT_S


@given(
    st.lists(
        st.tuples(
            st.sampled_from([WIFI, CELL]),
            st.booleans(),
            st.floats(0.0, 10.0),
        ),
        max_size=30,
    )
)
def test_media_never_moves_without_cause(
    requests: list[tuple[Address, bool, float]],
) -> None:
    """
    Whatever the order of requests, a move is nominated, or follows 5 s of silence.
    """
    path, now_s, heard_s = MediaPath(0.0), 0.0, 0.0
    for source, nominates, wait_s in requests:
        now_s += wait_s
        before = path.selected
        moved = path.request_received(source, nominates=nominates, now_s=now_s)

        assert moved is (path.selected != before)
        if moved and before is not None:
            assert nominates or now_s - heard_s >= SILENCE_S
        if path.selected == source:
            heard_s = now_s


def test_a_farewell_is_believed_when_silence_follows() -> None:
    """
    Whoever is said to have left and asks no more, expires early; again said, no later.
    """
    path = MediaPath(0.0)
    path.request_received(WIFI, nominates=True, now_s=10.0)
    path.doubt(11.0)
    path.doubt(15.0)

    assert path.is_doubted
    assert path.expires_s == 11.0 + DOUBT_S


def test_a_forged_farewell_harms_nobody() -> None:
    """
    The next authenticated request shows that the client is still there.
    """
    path = MediaPath(0.0)
    path.doubt(1.0)
    path.request_received(WIFI, nominates=True, now_s=3.5)

    assert not path.is_doubted
    assert path.expires_s == 3.5 + CONSENT_S

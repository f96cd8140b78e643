"""TURN credentials, checked as coturn checks them."""

import base64
import hashlib
import hmac
import itertools

from spaces.service.ice_servers import CREDENTIALS_LAST, Turn, ice_servers
from spaces.service.media import IceServer
from tests.fakes import FakeClock

STUN = IceServer(urls=("stun:stun.example.net",))
TURN = Turn(urls=("turn:192.0.2.1:3478",), secret="s" * 32)


def test_credentials_are_those_that_coturn_expects() -> None:
    """
    `use-auth-secret`: the name begins with when it expires; the password signs it.
    """
    clock = FakeClock()

    stun, turn = ice_servers((STUN,), TURN, now=clock, new_token=lambda: "x")()

    assert (stun, turn.urls) == (STUN, TURN.urls)
    assert turn.username is not None
    assert turn.credential is not None
    expiry_s, _, name = turn.username.partition(":")
    signed = hmac.new(b"s" * 32, turn.username.encode(), hashlib.sha1).digest()
    assert base64.b64decode(turn.credential) == signed
    assert int(expiry_s) == int((clock() + CREDENTIALS_LAST).timestamp())
    assert name == "x"  # and no uid: what a relay logs is nobody's


def test_each_answer_has_credentials_of_its_own() -> None:
    """
    A quota of coturn's is one client's; an hour later they last an hour longer.
    """
    clock, numbers = FakeClock(), itertools.count()
    made = ice_servers((), TURN, now=clock, new_token=lambda: str(next(numbers)))

    (first,), (second,) = made(), made()
    clock.advance(3600)
    (third,) = made()

    assert len({each.credential for each in (first, second, third)}) == 3
    lasts = [int(str(each.username).partition(":")[0]) for each in (second, third)]
    assert lasts[1] - lasts[0] == 3600


def test_without_a_turn_service_nothing_is_made() -> None:
    """
    A deployment names what it has.
    """
    made = ice_servers((STUN,), None, now=FakeClock(), new_token=lambda: "x")

    assert made() == (STUN,)

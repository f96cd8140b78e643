"""STUN and TURN servers that clients are told, TURN's with credentials that expire."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from .media import IceServer
from .ports import Clock

# As long as a talk may go on before its client has to join again to be relayed.
CREDENTIALS_LAST: Final = timedelta(hours=6)

IceServers = Callable[[], tuple[IceServer, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A TURN service that shares a secret with us, and knows nobody's name."""

    urls: tuple[str, ...]
    secret: str


def ice_servers(
    fixed: tuple[IceServer, ...],
    turn: Turn | None,
    *,
    now: Clock,
    new_token: Callable[[], str],
) -> IceServers:
    """Return what makes the list anew for each answer: `fixed`, then `turn`."""

    def made() -> tuple[IceServer, ...]:
        if turn is None:
            return fixed
        expires_at = now() + CREDENTIALS_LAST
        # draft-uberti-behave-turn-rest-00: "<expiry>:<anything>", signed with SHA-1.
        username = f"{int(expires_at.timestamp())}:{new_token()}"
        signed = hmac.digest(turn.secret.encode(), username.encode(), hashlib.sha1)
        relay = IceServer(
            urls=turn.urls,
            username=username,
            credential=base64.b64encode(signed).decode(),
        )
        return (*fixed, relay)

    return made

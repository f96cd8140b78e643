"""Rate limits of one instance: by address, by person, by person and Space."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from spaces_contract.ids import UserId

from ..domain.token_bucket import Bucket, RateLimit, take
from .errors import RateLimited
from .operations import Call, Operation

# Of each scope; the longest untouched is forgotten, and is full again. All scopes full,
# which takes 20,000 accounts, are some 70 MB.
MAX_BUCKETS: Final = 20_000


class Scope(StrEnum):
    """What is counted."""

    ADDRESS = "address"  # all requests of one client's address, signed in or not
    USER = "user"  # all calls of one person
    CREATE = "create"  # Spaces that one person opens
    START = "start"  # Spaces that one person lets go live, each with its worker
    SPACE = "space"  # asking, inviting, reporting: one person in one Space
    INVITE = "invite"  # people whom one person invites, to whichever Space
    PESTER = "pester"  # the same person, by the same one
    REACT = "react"  # reactions of one person in one Space
    OPEN = "open"  # media sessions that one person opens in one Space
    LISTEN = "listen"  # playlists and keys of one HLS listener in one Space


Limits = Mapping[Scope, RateLimit]
DEFAULT_LIMITS: Final[Limits] = {
    Scope.ADDRESS: RateLimit(burst=600, per_s=100),  # an office, or a carrier's NAT
    Scope.USER: RateLimit(burst=120, per_s=20),
    Scope.CREATE: RateLimit(burst=30, per_s=0.5),
    Scope.START: RateLimit(burst=30, per_s=1 / 30),
    Scope.SPACE: RateLimit(burst=20, per_s=1),
    Scope.INVITE: RateLimit(burst=100, per_s=0.2),
    Scope.PESTER: RateLimit(burst=5, per_s=1 / 600),
    Scope.REACT: RateLimit(burst=10, per_s=2),
    # As often as clients try again while a worker starts; each is work for the mixer.
    Scope.OPEN: RateLimit(burst=30, per_s=5),
    Scope.LISTEN: RateLimit(burst=20, per_s=1),
}
BY_PERSON: Final[Mapping[str, Scope]] = MappingProxyType(
    {"create_space": Scope.CREATE, "start_space": Scope.START}
)
IN_SPACE: Final = frozenset({"ask_to_speak", "send_invites", "report_space"})


def with_defaults(limits: Mapping[str, RateLimit]) -> Limits:
    """
    Return the limits of every scope, those in `limits` instead of the defaults.

    Raises:
        ValueError: `limits` names a scope that does not exist.
    """
    return {**DEFAULT_LIMITS, **{Scope(name): limits[name] for name in limits}}


class RateLimiter:
    """
    A guard of calls that are signed in; what is not, is counted by address.

    Args:
        monotonic: Seconds of a clock that never goes back.
    """

    def __init__(
        self, limits: Limits, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._lock = threading.Lock()  # requests run in threads
        # Apart: a crowd of one kind makes none of another be forgotten.
        self._buckets: dict[Scope, OrderedDict[tuple[str, ...], Bucket]] = {
            scope: OrderedDict() for scope in Scope
        }

    def __call__(self, operation: Operation, call: Call) -> None:
        """
        Count the call.

        Raises:
            RateLimited: it is one too many.
            SpaceNotFound: it is about what cannot be a Space.
        """
        if call.actor is None:
            return
        self._take(Scope.USER, call.actor)
        if operation.id in BY_PERSON:
            self._take(BY_PERSON[operation.id], call.actor)
        if operation.id in IN_SPACE:
            self._take(Scope.SPACE, call.actor, call.space_id)

    def address(self, address: str) -> None:
        """Count a request; raises RateLimited where it is one too many."""
        self._take(Scope.ADDRESS, address)

    def invite(self, user_id: UserId, invited_id: UserId) -> None:
        """Count an invite, which is a push; raises RateLimited as `react` does."""
        self._take(Scope.INVITE, user_id)
        self._take(Scope.PESTER, user_id, invited_id)

    def react(self, user_id: UserId, space_id: str) -> None:
        """Count a reaction; raises RateLimited where it is one too many."""
        self._take(Scope.REACT, user_id, space_id)

    def open(self, user_id: UserId, space_id: str) -> None:
        """Count an offer; raises RateLimited as `react` does."""
        self._take(Scope.OPEN, user_id, space_id)

    def listen(self, user_id: UserId, space_id: str) -> None:
        """Count what an HLS listener fetches; raises RateLimited as `react` does."""
        self._take(Scope.LISTEN, user_id, space_id)

    def _take(self, scope: Scope, *key: str) -> None:
        limit = self._limits.get(scope)
        if limit is None:
            return
        buckets = self._buckets[scope]
        with self._lock:
            bucket, wait_s = take(
                buckets.pop(key, None), limit, now_s=self._monotonic()
            )
            buckets[key] = bucket
            if len(buckets) > MAX_BUCKETS:
                buckets.popitem(last=False)
        if wait_s > 0:
            raise RateLimited(wait_s)

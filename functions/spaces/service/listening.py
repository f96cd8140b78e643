"""Hearing by HLS: who may, who is told to, and the keys."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from spaces_contract.control import ControlError
from spaces_contract.grants import (
    FORWARD_LIFETIME_S,
    LISTEN_LIFETIME_S,
    Forward,
    ListenToken,
    body_digest,
)
from spaces_contract.hls import CDN_KEYS_FROM, FETCH_KEY, LISTEN
from spaces_contract.ids import SessionId, SpaceId, UserId
from spaces_contract.roles import Role
from spaces_contract.runtime import WorkerState

from ..domain.errors import NotLive
from ..domain.runtime import Runtime, has_room
from ..domain.states import SpaceState
from .errors import (
    ListenTokenExpired,
    ListenTokenInvalid,
    ListenTokenMissing,
    WorkerRefused,
    WorkerStarting,
)
from .ports import Clock, GrantSigner, SpaceStore, WorkerControl

LOOKED_FOR_S: Final = 5.0  # as often as a worker tells how many it has
MAX_LOOKS: Final = 1_000  # Spaces of which an instance remembers what it saw


@dataclass(frozen=True, slots=True)
class ListenPass:
    """A listen token as it is handed out."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """
    Where a listener gets keys: what their URLs begin and end with.

    Args:
        cookie: Value of the cookie `KEYS_COOKIE`, which does instead of `query`: it can
            be renewed while a player goes on with the URLs that it began with.
        lifetime: Of either.
    """

    url: str
    query: str
    cookie: str
    lifetime: timedelta


class KeyLinks(Protocol):
    """Keys of a very large audience, which a CDN serves by its own signatures."""

    def sign(self, space_id: SpaceId, *, now: datetime) -> KeyPlace:
        """Return where all keys of a Space are, for five minutes at most."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningService:
    """
    Use cases of people who hear by HLS; a listen token is all that they show.

    Keys are not kept here: each is asked of the worker, which alone has the secret,
    and which refuses people who were removed.

    Args:
        monotonic: Seconds of a clock that never goes back.
        key_links: Of the CDN; None where keys come from the worker always.
    """

    spaces: SpaceStore
    grants: GrantSigner
    workers: WorkerControl
    now: Clock
    monotonic: Callable[[], float]
    new_token: Callable[[], str]
    key_links: KeyLinks | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _looks: dict[SpaceId, tuple[float, bool]] = field(default_factory=dict)

    def has_room(self, space_id: SpaceId) -> bool:
        """Whether the worker takes one more by WebRTC, as seen a moment ago."""
        now_s = self.monotonic()
        with self._lock:
            seen_at_s, room = self._looks.get(space_id, (-LOOKED_FOR_S, True))
            if now_s - seen_at_s < LOOKED_FOR_S:
                return room
        room = has_room(self.spaces.runtime(space_id))
        with self._lock:
            if len(self._looks) >= MAX_LOOKS:
                self._looks.clear()
            self._looks[space_id] = now_s, room
        return room

    def pass_for(
        self, space_id: SpaceId, listener_id: UserId, *, anonymous: bool
    ) -> ListenPass:
        """Hand out a token to somebody who was let in, by name or under a pseudonym."""
        issued_at_s = int(self.now().timestamp())
        token = ListenToken(
            token_id=self.new_token(),
            space_id=space_id,
            listener_id=listener_id,
            anonymous=anonymous,
            issued_at_s=issued_at_s,
            expires_at_s=issued_at_s + LISTEN_LIFETIME_S,
        )
        return ListenPass(
            self.grants.sign_listen_token(token),
            datetime.fromtimestamp(token.expires_at_s, UTC),
        )

    def key_place(self, space_id: SpaceId) -> KeyPlace | None:
        """Return where a CDN has keys for whoever was let in; None: there is none."""
        if self.key_links is None:
            return None
        return self.key_links.sign(space_id, now=self.now())

    def admit(
        self, space_id: SpaceId, tokens: Sequence[str]
    ) -> tuple[ListenToken, str]:
        """
        Return the token that lasts longest of those that somebody shows, read and raw.

        Raises:
            ListenTokenMissing, ListenTokenInvalid, ListenTokenExpired.
        """
        if not tokens:
            raise ListenTokenMissing
        read = [found for raw in tokens if (found := self._read(space_id, raw))]
        if not read:
            raise ListenTokenInvalid
        token, raw = max(read, key=lambda each: each[0].expires_at_s)
        if token.expires_at_s <= self.now().timestamp():
            raise ListenTokenExpired
        return token, raw

    def announce(self, listener: ListenToken) -> KeyPlace | None:
        """
        Tell the Space's worker that somebody listens; return once there is HLS.

        Returns:
            Where the CDN has the keys; None: ask here.

        Raises:
            SpaceNotFound, NotLive.
            WorkerStarting, WorkerUnreachable: try again.
            WorkerRefused: the worker does not allow it, or there is nothing yet.
        """
        space, runtime = self.spaces.get_with_runtime(SpaceId(listener.space_id))
        if space.state is not SpaceState.LIVE:
            raise NotLive(space.state)
        if runtime is None or runtime.epoch != space.epoch:
            raise WorkerStarting
        forward = self._forward(listener, LISTEN, runtime.epoch)
        self.workers.announce_listener(_control_url(runtime), forward=forward)
        if runtime.hls_listener_count < CDN_KEYS_FROM:
            return None
        return self.key_place(space.id)

    def key(self, listener: ListenToken, epoch: int, number: int) -> bytes:
        """
        Return one key of the epoch that runs.

        Raises:
            WorkerStarting, WorkerUnreachable: try again.
            WorkerRefused: there is no such key, or the listener was removed.
        """
        runtime = self.spaces.runtime(SpaceId(listener.space_id))
        if runtime is None or runtime.epoch != epoch:
            detail = "This key was of another worker, and is gone."
            raise WorkerRefused(ControlError.HLS_KEY_NOT_FOUND, detail)
        forward = self._forward(listener, FETCH_KEY, epoch, SessionId(str(number)))
        return self.workers.fetch_key(
            _control_url(runtime), forward=forward, number=number
        )

    def _read(self, space_id: SpaceId, raw: str) -> tuple[ListenToken, str] | None:
        try:
            token = self.grants.read_listen_token(raw)
        except ListenTokenInvalid:
            return None
        return (token, raw) if token.space_id == space_id else None

    def _forward(
        self,
        listener: ListenToken,
        method: str,
        epoch: int,
        key_number: SessionId | None = None,
    ) -> str:
        issued_at_s = int(self.now().timestamp())
        return self.grants.sign_forward(
            Forward(
                method=method,
                space_id=listener.space_id,
                epoch=epoch,
                user_id=listener.listener_id,
                role=Role.LISTENER,
                anonymous=listener.anonymous,
                grant_id=listener.token_id,
                body_sha256=body_digest(b""),
                issued_at_s=issued_at_s,
                expires_at_s=issued_at_s + FORWARD_LIFETIME_S,
                session_id=key_number,  # which binds it to that one key
            )
        )


def _control_url(runtime: Runtime) -> str:
    if runtime.state is WorkerState.READY and runtime.control_url:
        return runtime.control_url
    raise WorkerStarting

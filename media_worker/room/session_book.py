"""Who holds which media session, and who is therefore present."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from spaces_contract.ids import SessionId, UserId
from spaces_contract.relays import is_relay
from spaces_contract.roles import PeerKind
from spaces_contract.runtime import WorkerState

from .ports import Broadcast, DesiredState, Presence, SessionInfo
from .relays import Relays


@dataclass(slots=True, kw_only=True)
class Session:
    """
    One open session.

    Args:
        grant_id: Of the grant that opened it; the same may close it.
        channel_open: Whether stage messages can be sent.
        closing: Whether its end was asked for.
    """

    session_id: SessionId
    user_id: UserId
    kind: PeerKind
    grant_id: str
    connected: bool = False
    channel_open: bool = False
    closing: bool = False

    @property
    def info(self) -> SessionInfo:
        """The session as its endpoint knows it."""
        return SessionInfo(
            session_id=self.session_id,
            user_id=self.user_id,
            kind=self.kind,
            grant_id=self.grant_id,
        )


@dataclass(slots=True)
class SessionBook:
    """
    All open sessions of a room; a person has at most one of each kind.

    Those of relays are no people, and are counted nowhere.

    Args:
        broadcast: Who listens without one; None: nobody can.
        relays: Whose listeners are counted too; None: there can be no relays.
    """

    _broadcast: Broadcast | None = None
    _relays: Relays | None = None
    _by_id: dict[SessionId, Session] = field(default_factory=dict)
    _connected: dict[UserId, int] = field(default_factory=dict)
    _by_person: dict[tuple[UserId, PeerKind], list[Session]] = field(
        default_factory=dict  # oldest first; more than one only while one replaces
    )

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._by_id.values()))

    def add(self, session: Session) -> None:
        """Note an open session; it is its user's latest of that kind."""
        self._by_id[session.session_id] = session
        self._by_person.setdefault((session.user_id, session.kind), []).append(session)

    def get(self, session_id: SessionId) -> Session | None:
        """Return an open session."""
        return self._by_id.get(session_id)

    def latest(self, user_id: UserId, kind: PeerKind) -> Session | None:
        """Return a person's session of a kind, the newest where one replaces one."""
        sessions = self._by_person.get((user_id, kind))
        return sessions[-1] if sessions else None

    def connect(self, session_id: SessionId) -> Session | None:
        """Note that media flows; return the session."""
        session = self._by_id.get(session_id)
        if session is not None and not session.connected:
            session.connected = True
            if self._broadcast is not None:
                self._broadcast.forget(session.user_id)
            if not is_relay(session.user_id):
                connected = self._connected.get(session.user_id, 0) + 1
                self._connected[session.user_id] = connected
        return session

    def hears_elsewhere(self, user_id: UserId) -> None:
        """Count somebody as a listener by HLS no more: a relay counts them."""
        if self._broadcast is not None:
            self._broadcast.forget(user_id)

    def remove(self, session_id: SessionId) -> Session | None:
        """Forget a session; return it."""
        session = self._by_id.pop(session_id, None)
        if session is None:
            return None
        if session.connected and not is_relay(session.user_id):
            self._disconnect(session.user_id)
        key = (session.user_id, session.kind)
        self._by_person[key].remove(session)
        if not self._by_person[key]:
            del self._by_person[key]
        return session

    def is_present(self, user_id: UserId) -> bool:
        """Whether somebody has any connected session."""
        return user_id in self._connected

    def is_sending(self, user_id: UserId) -> bool:
        """Whether somebody's WHIP session is connected."""
        session = self.latest(user_id, PeerKind.WHIP)
        return session is not None and session.connected

    def participant_count(self) -> int:
        """Return how many people are connected, here or to a relay, or hear HLS."""
        relayed = 0 if self._relays is None else self._relays.listener_count()
        return len(self._connected) + self._hls_listeners + relayed

    def count_by_kind(self) -> dict[PeerKind, int]:
        """Return how many sessions of each kind are connected."""
        counts = dict.fromkeys(PeerKind, 0)
        for session in self._by_id.values():
            counts[session.kind] += session.connected
        return counts

    def listener_count(self, desired: DesiredState) -> int:
        """Return how many of them are not on stage."""
        on_stage = sum(user_id in self._connected for user_id in desired.stage)
        return self.participant_count() - on_stage

    def presence(
        self, desired: DesiredState, state: WorkerState, capacity: int
    ) -> Presence:
        """
        Return what a heartbeat reports.

        Args:
            capacity: Of this worker alone.
        """
        relays = {} if self._relays is None else self._relays.current()
        return Presence(
            state=state,
            listener_count=self.listener_count(desired),
            hls_listener_count=self._hls_listeners,
            capacity=capacity + sum(each.capacity for each in relays.values()),
            participant_count=self.participant_count(),
            connected_ids=tuple(sorted(u for u in desired.stage if self.is_present(u))),
            relays=relays,
        )

    @property
    def _hls_listeners(self) -> int:
        return 0 if self._broadcast is None else self._broadcast.listener_count

    def _disconnect(self, user_id: UserId) -> None:
        left = self._connected[user_id] - 1
        if left:
            self._connected[user_id] = left
        else:
            del self._connected[user_id]

"""The open sessions of a process, found by id, person, ICE user name and address."""

from collections.abc import Iterator

from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerKind

from .addresses import Address
from .session import Session


class Sessions:
    """
    Four indices over one set of sessions.

    Addresses enter only by authenticated requests, at most `MAX_ADDRESSES` a session.
    """

    def __init__(self) -> None:
        self._by_id: dict[SessionId, Session] = {}
        self._by_person: dict[tuple[UserId, PeerKind], Session] = {}
        self._by_ufrag: dict[bytes, Session] = {}
        self._by_address: dict[Address, Session] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._by_id.values()))

    def add(self, session: Session) -> None:
        """
        Take a session in; by its person, it is found instead of an earlier one.

        Raises:
            ValueError: its id or its ufrag is in use.
        """
        if session.session_id in self._by_id or session.ufrag in self._by_ufrag:
            raise ValueError("a session with this id or ufrag is open")
        self._by_id[session.session_id] = session
        self._by_person[session.info.user_id, session.kind] = session
        self._by_ufrag[session.ufrag] = session

    def remove(self, session: Session) -> None:
        """Forget an open session and its addresses."""
        del self._by_id[session.session_id]
        del self._by_ufrag[session.ufrag]
        person = (session.info.user_id, session.kind)
        if self._by_person.get(person) is session:
            del self._by_person[person]
        for known in session.addresses:
            if self._by_address.get(known) is session:
                del self._by_address[known]

    def bind(self, session: Session, source: Address) -> None:
        """Let datagrams from `source` belong to `session`: it proved itself there."""
        holder = self._by_address.get(source)
        if holder is session:
            return
        if holder is not None:  # the same socket or NAT port, used again
            holder.addresses.pop(source, None)
        self._by_address[source] = session
        forgotten = session.remember(source)
        if forgotten is not None:
            self._by_address.pop(forgotten, None)

    def by_id(self, session_id: SessionId) -> Session | None:
        """Return the session of that id."""
        return self._by_id.get(session_id)

    def by_person(self, user_id: UserId, kind: PeerKind) -> Session | None:
        """Return the latest session of that person in that direction."""
        return self._by_person.get((user_id, kind))

    def by_ufrag(self, ufrag: bytes) -> Session | None:
        """Return the session whose requests carry that user name fragment."""
        return self._by_ufrag.get(ufrag)

    def by_address(self, source: Address) -> Session | None:
        """Return the session that proved itself at that address."""
        return self._by_address.get(source)

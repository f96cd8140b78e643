"""Which mix each hearer's session gets: the full one, or that without themselves."""

from collections.abc import Set

from spaces_contract.ids import SessionId, UserId

from .ports import FULL_MIX, MediaEndpoint
from .stage_audio import own_mix


class MixRouting:
    """
    The connected WHEP sessions of a room.

    Attributes:
        hearers: By what session each person hears.
        own: Those who hear a mix of their own, as soon as they hear anything.
    """

    def __init__(self, endpoint: MediaEndpoint) -> None:
        self._endpoint = endpoint
        self.hearers: dict[UserId, SessionId] = {}
        self.own: frozenset[UserId] = frozenset()

    def add(self, user_id: UserId, session_id: SessionId) -> None:
        """Let somebody hear by a session, which replaces an earlier one."""
        self.hearers[user_id] = session_id
        if user_id in self.own:
            self._endpoint.hear(session_id, own_mix(user_id))

    def remove(self, user_id: UserId, session_id: SessionId) -> None:
        """Forget a session; one that was replaced is forgotten already."""
        if self.hearers.get(user_id) == session_id:
            del self.hearers[user_id]

    def route(self, own: Set[UserId]) -> None:
        """Let those in `own`, and nobody else, hear a mix of their own."""
        if own == self.own:
            return
        for user_id in self.own ^ own:
            session_id = self.hearers.get(user_id)
            if session_id is not None:
                source = own_mix(user_id) if user_id in own else FULL_MIX
                self._endpoint.hear(session_id, source)
        self.own = frozenset(own)

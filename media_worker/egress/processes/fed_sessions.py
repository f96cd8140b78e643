"""The sessions of one egress process as the room knows them: who hears what there."""

import itertools
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from spaces_contract.ids import SessionId

from ...audio.frames import EncodedFrame
from ...room.ports import FULL_MIX
from . import feed


@dataclass(slots=True)
class _Session:
    opened: bool = False
    source: str = FULL_MIX
    fraction_lost: float = 0.0


class FedSessions:
    """
    Makes of each tick what one process needs of it.

    Sources are counted: only what somebody hears there is sent.  Who hears another
    source from now on is told with a tick, and again until one has got through.
    """

    def __init__(self) -> None:
        self._by_id: dict[SessionId, _Session] = {}
        self._hearers: Counter[str] = Counter()  # by source
        self._turns: dict[SessionId, str] = {}  # not told yet

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._by_id

    def add(self, session_id: SessionId) -> None:
        """Note a session that is being opened; it hears the full mix."""
        self._by_id[session_id] = _Session()
        self._hearers[FULL_MIX] += 1

    def opened(self, session_id: SessionId) -> None:
        """Note that a session is open, unless it was forgotten meanwhile."""
        session = self._by_id.get(session_id)
        if session is not None:
            session.opened = True

    def forget(self, session_id: SessionId) -> bool:
        """Forget a session; return whether there was one."""
        session = self._by_id.pop(session_id, None)
        if session is None:
            return False
        self._leave(session.source)
        self._turns.pop(session_id, None)
        return True

    def clear(self) -> list[SessionId]:
        """Forget all; return those that were open."""
        opened = [key for key, session in self._by_id.items() if session.opened]
        self._by_id.clear()
        self._hearers.clear()
        self._turns.clear()
        return opened

    def hear(self, session_id: SessionId, source: str) -> None:
        """Let a session hear `source` from the next tick on."""
        session = self._by_id.get(session_id)
        if session is None or session.source == source:
            return
        self._leave(session.source)
        self._hearers[source] += 1
        session.source = source
        self._turns[session_id] = source

    def tick(self, frames: Mapping[str, EncodedFrame]) -> feed.Tick | None:
        """Return what to send of a tick; None where that is nothing."""
        heard = {s: frame for s, frame in frames.items() if self._hearers[s]}
        turns = list(itertools.islice(self._turns.items(), feed.MAX_TURNS))
        return feed.Tick(turns, heard) if heard or turns else None

    def told(self, tick: feed.Tick) -> None:
        """Note that a tick, the latest, has got through."""
        for session_id, _ in tick.turns:
            del self._turns[session_id]

    def reported(self, lost: Mapping[str, float]) -> None:
        """Note the loss that clients have reported, 0 to 1; no loss is left out."""
        for session_id, session in self._by_id.items():
            session.fraction_lost = lost.get(session_id, 0.0)

    def fraction_lost(self, session_id: SessionId) -> float:
        """Return the loss that a client had reported as of the latest report."""
        session = self._by_id.get(session_id)
        return 0.0 if session is None else session.fraction_lost

    def losses(self) -> list[float]:
        """Return what each client had reported as of the latest report."""
        return [session.fraction_lost for session in self._by_id.values()]

    def _leave(self, source: str) -> None:
        self._hearers[source] -= 1
        if not self._hearers[source]:
            del self._hearers[source]

"""The steps of listeners' sessions, told to the room, which makes spans of them."""

import time
from collections.abc import Callable

from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.trace_context import TraceContext, current

from ...transport.session_trace import LAST, Begin, Opening, Step
from .messages import Reached

Tell = Callable[[Reached], None]


def told(tell: Tell) -> Begin:
    """Return what tells the steps of each session that the room traces."""

    def begin(session_id: SessionId, kind: PeerKind) -> Opening | None:
        context = current.get()
        return None if context is None else ToldSteps(session_id, kind, context, tell)

    return begin


class ToldSteps:
    """
    `Opening` of a session whose spans another process makes, and loads what that takes.

    Args:
        context: What the room said it is part of.
    """

    def __init__(
        self, session_id: SessionId, kind: PeerKind, context: TraceContext, tell: Tell
    ) -> None:
        self.context = context
        self._session_id = session_id
        self._last = LAST[kind]
        self._tell = tell
        self._seen: set[Step] = set()

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self._last not in self._seen

    def reach(self, step: Step, at_ns: int | None = None) -> None:
        """Tell that a step is made, once."""
        if not self.is_open or step in self._seen:
            return
        self._seen.add(step)
        self._tell(
            Reached(
                session_id=self._session_id,
                step=step.value,
                at_ns=at_ns or time.time_ns(),
            )
        )

    def close(self, reason: PeerCloseReason) -> None:
        """Tell nothing: that a session has ended, the room learns anyway."""

"""How a session came about, as spans: from its offer to its first packet of sound."""

import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Final, Protocol

from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.trace_context import TraceContext, current
from spaces_tracing import spans
from spaces_tracing.spans import Fact, Span


class Step(StrEnum):
    """What a session reaches one after the other; the name of the span up to it."""

    STUN = "first stun"  # an authenticated request came
    DTLS = "dtls"  # keys are agreed
    RTP_IN = "first rtp in"
    RTP_OUT = "first rtp out"


LAST: Final = {PeerKind.WHIP: Step.RTP_IN, PeerKind.WHEP: Step.RTP_OUT}
# Of a step and of the one before it, ns since 1970; and where it is in its own trace.
Reached = Callable[[Step, int, int, TraceContext], None]


class Opening(Protocol):
    """One session on its way, as whoever traces it sees it."""

    @property
    def context(self) -> TraceContext:
        """What is part of it has this as its parent."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        ...

    def reach(self, step: Step, at_ns: int | None = None) -> None:
        """Note that a step is made; the second time changes nothing."""

    def close(self, reason: PeerCloseReason) -> None:
        """Note that the session is over; it may have come to nothing."""


# None: nobody traces it.
Begin = Callable[[SessionId, PeerKind], Opening | None]


class SessionTrace:
    """
    The span of one session's opening, part of the request that brought its offer.

    Args:
        reached: Told of each step, for whoever waits for the first of them.
        now_ns: The time, ns since 1970.
    """

    def __init__(
        self,
        kind: PeerKind,
        *,
        reached: Reached,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._last = LAST[kind]
        self._reached = reached
        self._now_ns = now_ns
        self._since_ns = now_ns()
        self._span: Span | None = spans.begin(
            "open session",
            parent=current.get(),
            facts={Fact.SESSION_KIND: kind.value},
            at_ns=self._since_ns,
        )
        self._seen: set[Step] = set()

        self.context = self._span.context

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self._span is not None

    def reach(self, step: Step, at_ns: int | None = None) -> None:
        """
        Note that a step is made; the second time changes nothing.

        Args:
            at_ns: When, ns since 1970; None is now.
        """
        span = self._span
        if span is None or step in self._seen:
            return
        self._seen.add(step)
        since_ns, self._since_ns = self._since_ns, at_ns or self._now_ns()
        part = spans.begin(step.value, parent=span.context, at_ns=since_ns)
        part.end(at_ns=self._since_ns)
        self._reached(step, since_ns, self._since_ns, part.context)
        if step is self._last:
            self._end(span)

    def close(self, reason: PeerCloseReason) -> None:
        """Note that the session is over; it may have come to nothing."""
        span = self._span
        if span is not None:
            span.tell({Fact.REASON: reason.value})
            self._end(span, error="SessionClosed")

    def _end(self, span: Span, error: str | None = None) -> None:
        span.end(error=error, at_ns=self._now_ns() if error else self._since_ns)
        self._span = None


def recorded(reached: Reached) -> Begin:
    """
    Return what traces a session as spans, where anybody records them.

    Args:
        reached: As of `SessionTrace`.
    """

    def begin(_: SessionId, kind: PeerKind) -> Opening | None:
        return SessionTrace(kind, reached=reached) if spans.is_recording() else None

    return begin


class SessionTraces:
    """
    The traces of sessions that are being opened, in one process.

    Like any collection it is false while empty, which it is most of the time.

    Args:
        begin: Traces one that is opened now, as part of the trace at hand; without it
            none is.
    """

    def __init__(self, begin: Begin = lambda *_: None) -> None:
        self._begin = begin
        self._open: dict[SessionId, Opening] = {}
        self._hopeful: dict[SessionId, None] = {}  # who is to hear something yet

    def __bool__(self) -> bool:
        """Whether any is open; once all hear and are heard, none is."""
        return bool(self._open)

    def __iter__(self) -> Iterator[SessionId]:
        """Iterate over those who have their keys and wait for a first packet."""
        return iter(tuple(self._hopeful))

    def open(self, session_id: SessionId, kind: PeerKind) -> TraceContext | None:
        """Trace a session; return what its steps are part of, where they are told."""
        trace = self._begin(session_id, kind)
        if trace is None:
            return None
        self._open[session_id] = trace
        return trace.context

    def drop(self, session_id: SessionId) -> None:
        """Forget a session that was refused: the request's span says why."""
        self._open.pop(session_id, None)

    def reach(
        self, session_id: SessionId, step: Step, at_ns: int | None = None
    ) -> None:
        """Note a step of a session; of one that is not traced it is no news."""
        trace = self._open.get(session_id)
        if trace is None:
            return
        trace.reach(step, at_ns)
        if step is Step.DTLS and trace.is_open:
            self._hopeful[session_id] = None
        if not trace.is_open:
            self._forget(session_id)

    def close(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Note the end of a session."""
        trace = self._open.get(session_id)
        if trace is not None:
            trace.close(reason)
            self._forget(session_id)

    def _forget(self, session_id: SessionId) -> None:
        del self._open[session_id]
        self._hopeful.pop(session_id, None)

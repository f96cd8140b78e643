"""Each session's regular turn: an RTCP report, or the end of one that fell silent."""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind

from ..egress.fan_out import FanOut
from .media_clock import MediaClock
from .reports import listener_report, speaker_report
from .session import Session, SessionState
from .sessions import Sessions
from .turns import Turns

TURNS_AT_A_STRETCH: Final = 64  # then what else is ready gets its turn
# How early a turn may come, together with another: one report alone costs four times
# as much, as all that it needs has left the processor's cache since the last one.
EARLY_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """
    Intervals of an endpoint.

    Args:
        connect_s: From the answer to agreed keys; later the session is given up.
        first_report_s: From agreed keys to the first RTCP report.
        speaker_report_s: Between receiver reports to WHIP clients.
        listener_report_s: Between sender reports to WHEP clients.
    """

    connect_s: float = 30.0
    first_report_s: float = 0.2
    speaker_report_s: float = 1.0
    listener_report_s: float = 5.0


class Rounds:
    """
    One timer for the reports and deadlines of all sessions.

    Lifecycle: works from the first `opened` until `close`.

    Args:
        end: Called with a session that never connected, or whose client sent no
            authenticated request for `CONSENT_S`.
    """

    def __init__(
        self,
        sessions: Sessions,
        fan_out: FanOut,
        clock: MediaClock,
        timing: Timing,
        *,
        cname: str,
        loop: asyncio.AbstractEventLoop,
        end: Callable[[Session, PeerCloseReason], object],
    ) -> None:
        self._sessions = sessions
        self._fan_out = fan_out
        self._clock = clock
        self._timing = timing
        self._cname = cname
        self._loop = loop
        self._end = end
        self._turns: Turns[SessionId] = Turns()
        self._timer: asyncio.TimerHandle | None = None

    def opened(self, session: Session) -> None:
        """Give a new session its time to connect."""
        self._set(session, session.opened_s + self._timing.connect_s)

    def secured(self, session: Session) -> None:
        """Begin a session's reports."""
        self._set(session, time.monotonic() + self._timing.first_report_s)

    def doubted(self, session: Session) -> None:
        """Look at a session when its path expires."""
        self._set(session, session.path.expires_s)

    def closed(self, session: Session) -> None:
        """Forget a session."""
        self._turns.drop(session.session_id)

    def close(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, session: Session, due_s: float) -> None:
        self._turns.set(session.session_id, due_s)
        self._schedule()

    def _schedule(self) -> None:
        next_s = self._turns.next_s()
        if next_s is None:
            return
        if self._timer is not None:
            if self._timer.when() <= next_s:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(next_s, self._take_due)

    def _take_due(self) -> None:
        self._timer = None
        now_s = time.monotonic()
        for session_id in self._turns.take_due(now_s + EARLY_S, TURNS_AT_A_STRETCH):
            session = self._sessions.by_id(session_id)
            if session is not None:
                self._take(session, now_s)
        self._schedule()

    def _take(self, session: Session, now_s: float) -> None:
        if session.state is not SessionState.CONNECTED:
            self._take_unconnected(session, now_s)
        elif now_s >= session.path.expires_s:
            said = session.path.is_doubted
            self._end(
                session, PeerCloseReason.LEFT if said else PeerCloseReason.ICE_FAILED
            )
        else:
            session.settle(now_s)
            report = self._report(session, now_s)
            if report is not None:
                session.send_rtcp(report)
            due_s = now_s + self._interval_s(session)
            self._turns.set(session.session_id, min(due_s, session.path.expires_s))

    def _take_unconnected(self, session: Session, now_s: float) -> None:
        deadline_s = session.opened_s + self._timing.connect_s
        if now_s < deadline_s:
            self._turns.set(session.session_id, deadline_s)
            return
        reached = session.path.selected is not None
        self._end(
            session,
            PeerCloseReason.DTLS_FAILED if reached else PeerCloseReason.ICE_FAILED,
        )

    def _interval_s(self, session: Session) -> float:
        if session.kind is PeerKind.WHIP:
            return self._timing.speaker_report_s
        # RFC 3550 6.3.1: spread, so that a crowd that came at once is not served so.
        return self._timing.listener_report_s * (0.8 + secrets.randbelow(400) / 1000)

    def _report(self, session: Session, now_s: float) -> bytes | None:
        ssrc = self._fan_out.ssrc
        if session.incoming is not None:
            return speaker_report(
                session.incoming.stats, ssrc=ssrc, cname=self._cname, now_s=now_s
            )
        rtp_timestamp = self._clock.timestamp(now_s)
        if session.hearer is None or rtp_timestamp is None:
            return None
        return listener_report(
            self._fan_out.sent(session.hearer),
            ssrc=ssrc,
            cname=self._cname,
            rtp_timestamp=rtp_timestamp,
            unix_s=time.time(),
        )

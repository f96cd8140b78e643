"""One egress process as the room sees it: started, fed, asked, and seen to die."""

import asyncio
import contextlib
import itertools
import json
import logging
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason
from spaces_contract.trace_context import TraceContext

from ...audio.frames import EncodedFrame
from ...room.ports import SdpRefused, SessionInfo
from ...transport.session_trace import Step
from . import feed, messages
from .channel import Channel, ChannelStuck
from .fed_sessions import FedSessions
from .placement import Load

START_PATIENCE_S: Final = 30.0  # imports, on a busy machine
ANSWER_PATIENCE_S: Final = 10.0
STOP_PATIENCE_S: Final = 0.9  # within the worker's own patience with an endpoint
# A second, at the most, of a process that does not read; later audio is worth nothing.
_FEED_BUFFER_BYTES: Final = 32 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spawn:
    """
    How an egress process is started.

    Args:
        bind: Numeric address and port of its socket.
        announced: What clients are told.
        labels: Fields of its log lines.
    """

    bind: tuple[str, int]
    announced: tuple[str, int]
    labels: Mapping[str, str | int]


class ChildState(StrEnum):
    """Forward-only life of an egress process."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"  # it opens no more sessions
    ENDED = "ended"


class ChildOwner(Protocol):
    """Whom an egress process' proxy tells what happens there."""

    def egress_connected(self, session_id: SessionId) -> None:
        """Note that a session's DTLS is up."""

    def egress_reached(self, session_id: SessionId, step: Step, at_ns: int) -> None:
        """Note a step of a session that is traced, at a time in ns since 1970."""

    def egress_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Note that a session ended which nobody here had closed."""

    def egress_ended(self, child: "EgressProcess") -> None:
        """Note that it is gone; its latest report stays."""


class EgressProcess:
    """
    A child process with a UDP port of its own, and the listeners there.

    Lifecycle: STARTING -> READY -> DRAINING -> ENDED, stages may be left out; `run`
    once, it returns when the process is gone.  Its death ends its sessions: the owner
    is told of each, with `MEDIA_FAILED`.

    Attributes:
        feed_dropped: Ticks that it did not take in time.
        report: Its latest, or None.
    """

    def __init__(self, number: int, spawn: Spawn, owner: ChildOwner) -> None:
        self.number = number
        self.state = ChildState.STARTING
        self.feed_dropped = 0
        self.report: messages.Report | None = None
        self._spawn = spawn
        self._owner = owner
        self._sessions = FedSessions()
        self._requests = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[messages.Notice]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._channel: Channel | None = None
        self._feed: socket.socket | None = None

    @property
    def load(self) -> Load:
        """What placement needs to know."""
        return Load(self.state is ChildState.READY, len(self._sessions))

    async def run(self) -> None:
        """Start the process and serve it until it is gone."""
        try:
            channel = await self._start()
            starting = asyncio.get_running_loop().call_later(
                START_PATIENCE_S, self._check_started
            )
            while (message := await channel.receive()) is not None:
                self._take(message)
            starting.cancel()
        except OSError:
            logger.exception("egress process not started")
        finally:
            await self._end()

    async def open_session(
        self,
        offer_sdp: str,
        info: SessionInfo,
        *,
        trace: TraceContext | None,
    ) -> str:
        """
        Open a session there and return the SDP answer.

        Args:
            trace: Where its steps belong; None is where nobody asks for them.

        Raises:
            SdpRefused: the offer's fault, or `WORKER_STOPPING`: this process is going.
        """
        session_id = info.session_id
        self._sessions.add(session_id)
        try:
            reply = await self._request(
                lambda number: messages.Open(
                    request=number,
                    session_id=session_id,
                    user_id=info.user_id,
                    grant_id=info.grant_id,
                    kind=info.kind.value,
                    offer=offer_sdp,
                    traceparent=None if trace is None else trace.traceparent,
                )
            )
        except BaseException:
            self.close_session(session_id, PeerCloseReason.LEFT)
            raise
        if isinstance(reply, messages.Answered):
            self._sessions.opened(session_id)
            return reply.answer
        self._sessions.forget(session_id)
        if isinstance(reply, messages.Refused):
            raise SdpRefused(ControlError(reply.code), reply.detail)
        raise SdpRefused(ControlError.WORKER_STOPPING, "this process is leaving")

    def close_session(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Let a session end; unknown ones are ignored, the owner is not told."""
        if self._sessions.forget(session_id):
            self._tell(messages.Close(session_id=session_id, reason=reason.value))

    def fraction_lost(self, session_id: SessionId) -> float:
        """Return the loss that a client had reported as of the latest report."""
        return self._sessions.fraction_lost(session_id)

    def losses(self) -> list[float]:
        """Return what each client there had reported as of the latest report."""
        return self._sessions.losses()

    def hear(self, session_id: SessionId, source: str) -> None:
        """Let a session hear `source` from the next tick on."""
        self._sessions.hear(session_id, source)

    def send(self, frames: Mapping[str, EncodedFrame]) -> None:
        """Feed one tick: what somebody there hears, and who hears something else."""
        if self._feed is None or self.state is ChildState.STARTING:
            return
        tick = self._sessions.tick(frames)
        if tick is None:
            return
        try:
            self._feed.send(feed.pack(tick))
        except BlockingIOError:  # turns are told again with the next tick
            self.feed_dropped += 1
        except OSError:  # it is gone; the channel tells it, too
            return
        else:
            self._sessions.told(tick)

    async def refresh(self) -> None:
        """Ask for a report; one that does not answer is ended, for it hangs."""
        if self.state not in (ChildState.READY, ChildState.DRAINING):
            return
        try:
            reply = await self._request(lambda number: messages.Ask(request=number))
        except SdpRefused:
            logger.error("egress process hangs", extra={"egress": self.number})
            self.kill()
            return
        if isinstance(reply, messages.Report):
            self.report = reply
            self._sessions.reported(reply.lost)

    async def stop(self, reason: PeerCloseReason) -> None:
        """Let it close all its sessions and end; kill it where that takes long."""
        self._sessions.clear()  # their end is no news
        self._tell(messages.Stop(reason=reason.value))
        if self._process is None:
            return
        try:
            async with asyncio.timeout(STOP_PATIENCE_S):
                await self._process.wait()
        finally:
            self.kill()

    def retire(self) -> None:
        """Let it end: nobody listens there, nor shall anybody."""
        self._become(ChildState.DRAINING)
        self._tell(messages.Stop(reason=PeerCloseReason.WORKER_STOPPING.value))

    def kill(self) -> None:
        """End the process at once; harmless when it has ended."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _start(self) -> Channel:
        channel_end, their_channel = socket.socketpair()
        feed_end, their_feed = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        feed_end.setblocking(False)
        feed_end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _FEED_BUFFER_BYTES)
        self._feed = feed_end
        with their_channel, their_feed:
            self._channel = await Channel.over(channel_end)
            descriptors = (their_channel.fileno(), their_feed.fileno())
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", __package__.rpartition(".")[0]),
                *_arguments(self._spawn, *descriptors),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=descriptors,
            )
        return self._channel

    def _check_started(self) -> None:
        if self.state is ChildState.STARTING:
            logger.error("egress process does not start", extra={"egress": self.number})
            self.kill()

    def _take(self, message: messages.Order | messages.Notice) -> None:
        match message:
            case messages.Ready():
                self._become(ChildState.READY)
            case messages.Draining():
                self._become(ChildState.DRAINING)
            case messages.Connected(session_id=session_id):
                if session_id in self._sessions:
                    self._owner.egress_connected(SessionId(session_id))
            case messages.Reached(session_id=session_id, step=step, at_ns=at_ns):
                self._owner.egress_reached(SessionId(session_id), Step(step), at_ns)
            case messages.Closed(session_id=session_id, reason=reason):
                if self._sessions.forget(SessionId(session_id)):
                    self._owner.egress_closed(
                        SessionId(session_id), PeerCloseReason(reason)
                    )
            case messages.Answered() | messages.Refused() | messages.Report():
                self._answered(message.request, message)

    def _answered(self, request: int, answer: messages.Notice) -> None:
        waiting = self._waiting.get(request)
        if waiting is not None and not waiting.done():
            waiting.set_result(answer)

    def _become(self, state: ChildState) -> None:
        if state is ChildState.READY and self.state is not ChildState.STARTING:
            return  # it was told to end meanwhile
        self.state = state
        logger.info("egress process %s", state.value, extra={"egress": self.number})

    async def _request(self, order: Callable[[int], messages.Order]) -> messages.Notice:
        """
        Send an order and wait for its answer.

        Raises:
            SdpRefused: none came.
        """
        number = next(self._requests)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._tell(order(number))
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                answer: messages.Notice = await waiting
                return answer
        except TimeoutError:
            raise SdpRefused(
                ControlError.WORKER_STOPPING, "this process is leaving"
            ) from None
        finally:
            del self._waiting[number]

    def _tell(self, order: messages.Order) -> None:
        if self._channel is None or self.state is ChildState.ENDED:
            return
        try:
            self._channel.send(order)
        except ChannelStuck:
            logger.error("egress process does not read", extra={"egress": self.number})
            self.kill()

    async def _end(self) -> None:
        self.kill()
        if self._process is not None:
            await self._process.wait()
            logger.info(
                "egress process gone",
                extra={"egress": self.number, "exit_code": self._process.returncode},
            )
        if self._channel is not None:
            self._channel.close()
        if self._feed is not None:
            self._feed.close()
            self._feed = None
        self._lose_sessions()
        self._become(ChildState.ENDED)
        self._owner.egress_ended(self)

    def _lose_sessions(self) -> None:
        """Tell of each; who waits for an answer gets it so, and may turn elsewhere."""
        lost = self._sessions.clear()
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(messages.Draining())
        for session_id in lost:
            self._owner.egress_closed(session_id, PeerCloseReason.MEDIA_FAILED)


def _arguments(spawn: Spawn, channel: int, feed_end: int) -> list[str]:
    return [
        *("--channel", str(channel)),
        *("--feed", str(feed_end)),
        *("--bind", json.dumps(spawn.bind)),
        *("--announced", json.dumps(spawn.announced)),
        *("--labels", json.dumps(dict(spawn.labels))),
    ]

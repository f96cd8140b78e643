"""The egress process' own side: listeners' sessions, and whoever feeds them."""

import asyncio
import contextlib
import logging
import os
import socket
from dataclasses import asdict
from typing import Final

from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.trace_context import parse, within

from ...audio.frames import ReceivedPacket
from ...process_memory import rss_bytes
from ...room.ports import SdpRefused, SessionInfo
from ...transport.endpoint import UdpMediaEndpoint
from . import feed, messages
from .channel import Channel

DRAIN_S: Final = 4.0  # listeners leave one by one, to join again one by one
_MAX_FEED_BYTES: Final = 64 * 1024
_COLLECT_EVERY_S: Final = 0.1  # where no tick comes that would do it
# Between two ticks that do it: listeners' checks cost less the more come together,
# and who asks for a lost packet waits no longer than a jitter buffer does.
TOGETHER_S: Final = 0.045

logger = logging.getLogger(__name__)


class EgressServer:
    """
    Serves listeners as the room orders, until the room is gone or says stop.

    It is the `MediaEvents` of its endpoint.  Lifecycle: `run` once; `drain` at any
    time lets it end in good order.

    Args:
        fed: Datagram socket from which ticks come.
    """

    def __init__(
        self, channel: Channel, fed: socket.socket, endpoint: UdpMediaEndpoint
    ) -> None:
        self._channel = channel
        self._fed = fed
        self._endpoint = endpoint
        self._draining: asyncio.Task[None] | None = None
        self._collected_s = float("-inf")

    async def run(self) -> None:
        """
        Serve until the end.

        Raises:
            OSError: the UDP port is taken.
        """
        loop = asyncio.get_running_loop()
        self._fed.setblocking(False)
        self._endpoint.start(self)
        loop.add_reader(self._fed, self._fed_readable)
        collecting = asyncio.create_task(self._collect(), name="collect")
        reason = PeerCloseReason.WORKER_STOPPING
        try:
            self._channel.send(messages.Ready())
            while (message := await self._channel.receive()) is not None:
                if isinstance(message, messages.Stop):
                    reason = PeerCloseReason(message.reason)
                    break
                await self._obey(message)
        finally:
            loop.remove_reader(self._fed)
            collecting.cancel()
            if self._draining is not None:
                self._draining.cancel()
            await self._endpoint.aclose(reason)
            self._channel.close()

    def drain(self) -> None:
        """Open nothing more, let everybody go one by one, then end."""
        if self._draining is None:
            self._channel.send(messages.Draining())
            self._draining = asyncio.create_task(self._drain(), name="drain")

    def packet_received(self, session_id: SessionId, packet: ReceivedPacket) -> None:
        """Drop it: nobody talks here."""

    def session_connected(self, session_id: SessionId) -> None:
        """Tell the room."""
        self._channel.send(messages.Connected(session_id=session_id))

    def session_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Tell the room."""
        self._channel.send(messages.Closed(session_id=session_id, reason=reason.value))

    def stage_channel_opened(self, session_id: SessionId) -> None:
        """Do nothing: listeners have no channel."""

    async def _obey(self, message: messages.Order | messages.Notice) -> None:
        match message:
            case messages.Open():
                await self._open(message)
            case messages.Close(session_id=session_id, reason=reason):
                await self._endpoint.close_session(
                    SessionId(session_id), PeerCloseReason(reason)
                )
            case messages.Ask(request=request):
                self._channel.send(self._report(request))

    async def _open(self, order: messages.Open) -> None:
        info = SessionInfo(
            session_id=SessionId(order.session_id),
            user_id=UserId(order.user_id),
            kind=PeerKind(order.kind),
            grant_id=order.grant_id,
        )
        try:
            with within(parse(order.traceparent)):
                answer = await self._endpoint.open_session(order.offer, info)
        except SdpRefused as error:
            refused = messages.Refused(
                request=order.request, code=error.code.value, detail=error.detail
            )
            self._channel.send(refused)
        else:
            self._channel.send(messages.Answered(request=order.request, answer=answer))

    async def _drain(self) -> None:
        sessions = list(self._endpoint.sessions())
        for session in sessions:
            await self._endpoint.close_session(
                session.session_id, PeerCloseReason.WORKER_STOPPING
            )
            await asyncio.sleep(DRAIN_S / len(sessions))
        self._channel.close()

    async def _collect(self) -> None:
        while True:
            await asyncio.sleep(_COLLECT_EVERY_S)
            self._collect_after(_COLLECT_EVERY_S)

    def _collect_after(self, interval_s: float) -> None:
        """Take in what has come, unless that was done less than `interval_s` ago."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._collected_s >= interval_s:
            self._collected_s = now_s
            self._endpoint.collect()

    def _fed_readable(self) -> None:
        self._collect_after(TOGETHER_S)
        with contextlib.suppress(BlockingIOError):  # there was nothing, after all
            tick = feed.unpack(self._fed.recv(_MAX_FEED_BYTES))
            for session_id, source in tick.turns:
                self._endpoint.hear(session_id, source)
            self._endpoint.send(tick.frames)

    def _report(self, request: int) -> messages.Report:
        times = os.times()
        endpoint = self._endpoint
        return messages.Report(
            request=request,
            cpu_s=times.user + times.system,
            rss_bytes=rss_bytes(),
            transport=asdict(endpoint.counters),
            fan_out=asdict(endpoint.fan_out_counters),
            lost=endpoint.losses(),
        )

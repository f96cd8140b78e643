"""The stage's data channel: SCTP by aiortc above our DTLS (RFC 8831, RFC 8832)."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, cast

from aiortc import RTCDataChannel, RTCDtlsTransport, RTCSctpCapabilities
from aiortc import RTCSctpTransport as AiortcSctpTransport

from .counters import EndpointCounters
from .dtls import DtlsChannel, DtlsState
from .negotiation import StageChannel as NegotiatedChannel
from .sctp_guard import data_chunks

LABEL: Final = "stage"
MAX_BUFFERED_BYTES: Final = 128 * 1024  # of messages that the client has not taken
MAX_INCOMING: Final = 200  # datagrams and DATA chunks a second: mostly SACKs
MAX_MISORDERED: Final = 64  # chunks that wait for an earlier one
MAX_CHANNELS: Final = 8
QUEUE_DATAGRAMS: Final = 64

logger = logging.getLogger(__name__)


class _GuardedDtls:
    """
    What SCTP takes for its DTLS transport: the same, with hostile input kept out.

    aiortc's SCTP also asserts what a peer should send, and an exception there would
    end the session's DTLS; here it costs that one datagram.
    """

    def __init__(
        self,
        dtls: DtlsChannel,
        counters: EndpointCounters,
        now_s: Callable[[], float],
    ) -> None:
        self._dtls = dtls
        self._now_s = now_s
        self._sctp: AiortcSctpTransport | None = None
        self._second = 0
        self._in_second = 0
        self._role = "server"
        self._counters = counters

    @property
    def state(self) -> str:
        return "connected" if self._dtls.state is DtlsState.OPEN else "closed"

    def _register_data_receiver(self, receiver: AiortcSctpTransport) -> None:
        self._sctp = receiver

    def _unregister_data_receiver(self, receiver: AiortcSctpTransport) -> None:
        self._sctp = None

    async def _send_data(self, data: bytes) -> None:
        self._dtls.send(data)

    async def _handle_data(self, data: bytes) -> None:
        sctp = self._sctp
        if sctp is None or not self._admit(sctp, data):
            self._counters.stage_datagrams_refused += 1
            return
        try:
            await sctp._handle_data(data)
        except Exception:  # a process edge: one peer's datagram, see the docstring
            self._counters.stage_datagrams_refused += 1
            logger.debug("data channel datagram refused", exc_info=True)

    def _admit(self, sctp: AiortcSctpTransport, data: bytes) -> bool:
        chunks = data_chunks(data)
        if chunks is None:
            return False
        second = int(self._now_s())
        if second != self._second:
            self._second, self._in_second = second, 0
        self._in_second += 1 + chunks
        return self._in_second <= MAX_INCOMING and (
            not chunks
            or (
                # What aiortc holds for this peer, none of which it bounds itself.
                sctp._advertised_rwnd > 0
                and len(sctp._sack_misordered) < MAX_MISORDERED
                and len(sctp._data_channels) < MAX_CHANNELS
            )
        )


class StageChannel:
    """
    The channel labelled "stage" that a WHIP client opens; we only send on it.

    Lifecycle: `start()` once, then `receive` for each datagram, `aclose()` at the end.

    Args:
        on_open: Called once, when messages may be sent.
    """

    def __init__(
        self,
        dtls: DtlsChannel,
        negotiated: NegotiatedChannel,
        *,
        counters: EndpointCounters,
        now_s: Callable[[], float],
        on_open: Callable[[], None],
    ) -> None:
        self._negotiated = negotiated
        self._on_open = on_open
        self._channel: RTCDataChannel | None = None
        self._guarded = _GuardedDtls(dtls, counters, now_s)
        self._sctp = AiortcSctpTransport(cast(RTCDtlsTransport, self._guarded))
        self._sctp.on("datachannel", self._opened)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE_DATAGRAMS)
        self._task: asyncio.Task[None] | None = None
        self._counters = counters

    def start(self) -> None:
        """Begin the association; the client opens the channel in its own time."""
        self._task = asyncio.create_task(self._run(), name="stage-channel")

    def receive(self, datagram: bytes) -> None:
        """Queue what came by DTLS; the newest is dropped where the queue is full."""
        try:
            self._queue.put_nowait(datagram)
        except asyncio.QueueFull:
            self._counters.stage_datagrams_dropped += 1

    def send(self, text: str) -> bool:
        """Queue a message; False where the channel is not open or takes no more."""
        channel = self._channel
        if channel is None or channel.readyState != "open":
            return False
        size = len(text.encode())
        limit = self._negotiated.max_message_bytes
        full = channel.bufferedAmount + size > MAX_BUFFERED_BYTES
        if full or (limit and size > limit):
            self._counters.stage_messages_dropped += 1
            return False
        channel.send(text)
        return True

    async def aclose(self) -> None:
        """Abort the association."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._sctp.remove_all_listeners()
        await self._sctp.stop()

    async def _run(self) -> None:
        try:
            await self._sctp.start(
                RTCSctpCapabilities(maxMessageSize=self._negotiated.max_message_bytes),
                self._negotiated.sctp_port,
            )
            while True:
                await self._guarded._handle_data(await self._queue.get())
        except Exception:  # the edge of one peer: it stays without a channel
            logger.exception("stage channel crashed")

    def _opened(self, channel: RTCDataChannel) -> None:
        if channel.label != LABEL:
            channel.close()
            return
        first = self._channel is None
        self._channel = channel
        if first:
            self._on_open()

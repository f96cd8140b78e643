"""A relay's part of a room: listeners who hear what the origin mixes."""

import asyncio
import logging
import secrets
from collections.abc import Iterable
from itertools import islice
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.reactions import Reaction
from spaces_contract.relays import MAX_ARRIVED, RelayReport, relay_session
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.runtime import WorkerState

from ..audio.frames import EncodedFrame, ReceivedPacket
from ..room.clock import Clock
from ..room.desired_cell import DesiredCell, unknown_state
from ..room.doorway import Doorway
from ..room.durations import Durations
from ..room.listener_loss import ListenerLoss
from ..room.mix_loop import MixLoop
from ..room.parting import let_go
from ..room.ports import (
    FULL_MIX,
    DesiredState,
    MediaEndpoint,
    Presence,
    SessionRefused,
)
from ..room.room_end import RoomEnd
from ..room.room_life import RoomLife
from ..room.rules import sessions_to_close
from ..room.session_book import SessionBook
from .relay_admission import RelayAdmission

COLLECT_S: Final = 0.1  # where no feed does it

logger = logging.getLogger(__name__)


class RelayRoom:
    """
    The listeners of one relay.  It is its endpoint's `MediaEvents`.

    Lifecycle: `run()` once; before it no session can be opened.  It returns when the
    room was ended, with all sessions closed.

    Args:
        index: The relay's number, which its sessions' ids carry.
        endpoint: Started by the owner, with this room as its `MediaEvents`.
        capacity: Listeners that are let in.

    Attributes:
        held: How long frames were in this process, from the network to the network.
    """

    def __init__(
        self,
        *,
        epoch: int,
        index: int,
        endpoint: MediaEndpoint,
        capacity: int,
        clock: Clock,
    ) -> None:
        self.epoch = epoch
        self.index = index
        self.endpoint = endpoint
        self.book = SessionBook()
        self.held = Durations()
        self._clock = clock
        self._desired = DesiredCell(unknown_state(epoch), clock=clock)
        self._life = RoomLife()
        self._admission = RelayAdmission(
            self._desired, self.book, self._life, capacity=capacity
        )
        self.doorway = Doorway(
            endpoint,
            self.book,
            self._admission,
            new_id=lambda: relay_session(secrets.token_urlsafe(18), index),
            closed=self.session_closed,
        )
        self._collecting = MixLoop(
            lambda _: endpoint.collect(), ptime_s=COLLECT_S, clock=clock
        )
        self._arrived: dict[UserId, None] = {}  # not reported yet, oldest first

    @property
    def listener_count(self) -> int:
        """How many hear."""
        return self.book.participant_count()

    async def run(self) -> RoomEnd:
        """
        Serve until the room is ended, then close all sessions; return why it ended.

        Raises:
            ExceptionGroup: the port crashed.
        """
        async with self._collecting, asyncio.TaskGroup() as tasks:
            self.doorway.tasks = tasks
            self._life.open()
            watching = tasks.create_task(self._collecting.wait_closed())
            end = await self._life.ended()
            await self._close_all(end)
            watching.cancel()
        return end

    def end(self, reason: RoomEnd) -> None:
        """Let `run` close everything and return; the first reason counts."""
        self._life.end(reason)

    def apply(self, desired: DesiredState) -> None:
        """Take a new desired state: who may not be here any more, leaves."""
        self._desired.put(desired)
        if desired.epoch > self.epoch:
            self.end(RoomEnd.SUPERSEDED)
            return
        for session_id, reason in sessions_to_close(desired, self.book):
            self.doorway.close_soon(session_id, reason)
        for user_id in desired.stage:
            promoted = self.book.latest(user_id, PeerKind.WHEP)
            if promoted is not None:  # a mix without their own voice is at the origin
                self.doorway.close_soon(
                    promoted.session_id, PeerCloseReason.WORKER_STOPPING
                )
        if not desired.live:
            self.end(RoomEnd.SPACE_ENDED)

    def presence(self, state: WorkerState) -> Presence:
        """Return what a heartbeat reports."""
        return self.book.presence(self._desired.value, state, self._admission.capacity)

    def report(self, control_url: str, *, fed: bool) -> RelayReport:
        """
        Return what to tell the origin.

        Args:
            fed: Whether the mix comes; else nobody shall be sent here.
        """
        takes = fed and self._life.is_open
        loss = ListenerLoss.of(
            self.endpoint.fraction_lost(session.session_id)
            for session in self.book
            if session.connected
        )
        return RelayReport(
            control_url=control_url,
            listeners=self.listener_count,
            capacity=self._admission.capacity if takes else 0,
            lossy=min(loss.lossy, self.listener_count),
            loss_percent=loss.percent,
            arrived=tuple(islice(self._arrived, MAX_ARRIVED)),
        )

    def reported(self, report: RelayReport) -> None:
        """Note that the origin has taken a report."""
        for user_id in report.arrived:
            self._arrived.pop(user_id, None)

    def play(self, frame: EncodedFrame, held_s: float) -> None:
        """
        Send a frame to all listeners.

        Args:
            held_s: How long its packet has been in this process.
        """
        self.endpoint.collect()
        self.endpoint.send({FULL_MIX: frame})
        self.held.observe(held_s)

    def react(self, reactions: Iterable[Reaction]) -> None:
        """
        Refuse: only the origin shows reactions.

        Raises:
            SessionRefused: always.
        """
        raise SessionRefused(ControlError.INVALID_FORWARD, "a relay shows nothing")

    def packet_received(self, session_id: SessionId, packet: ReceivedPacket) -> None:
        """Drop it: nobody talks here."""

    def session_connected(self, session_id: SessionId) -> None:
        """Count whoever hears from now on."""
        session = self.book.connect(session_id)
        if session is not None:
            self._arrived[session.user_id] = None

    def session_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Forget a session; the endpoint has logged its end."""
        session = self.doorway.forget(session_id, reason)
        if session is not None and not self.book.is_present(session.user_id):
            self._arrived.pop(session.user_id, None)

    def stage_channel_opened(self, session_id: SessionId) -> None:
        """Do nothing: listeners have no channel."""

    async def _close_all(self, end: RoomEnd) -> None:
        # Another epoch's origin takes them in, and no faster than it can.
        pace = RoomEnd.RELIEVED if end is RoomEnd.SUPERSEDED else end
        await let_go(self.book, self.doorway.close, end=pace, clock=self._clock)

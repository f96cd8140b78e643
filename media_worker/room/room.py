"""A Space's media plane: does what Firestore desires, and hears what peers send."""

import asyncio
import logging
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from spaces_contract.ids import SessionId, SpaceId, UserId
from spaces_contract.media import PTIME_MS
from spaces_contract.reactions import Reaction
from spaces_contract.roles import PeerCloseReason, PeerKind
from spaces_contract.runtime import WorkerState

from ..audio.frames import ReceivedPacket
from ..audio.resting_decoder import SpeechDecoder
from .admission import Admission
from .announcer import Announcer
from .board import Board
from .chime import chime_between
from .clock import Clock
from .desired_cell import DesiredCell, unknown_state
from .doorway import Doorway
from .durations import Durations
from .listener_care import ListenerCare
from .mix_loop import MixLoop
from .mix_routing import MixRouting
from .parting import let_go
from .ports import (
    Broadcast,
    DesiredState,
    MediaEndpoint,
    PacketTap,
    Presence,
    RoomPublisher,
)
from .reactions import ReactionTally
from .relays import Relays
from .room_end import RoomEnd
from .room_life import RoomLife
from .rules import sessions_to_close
from .session_book import Session, SessionBook
from .stage_audio import StageAudio
from .stage_messages import room_message
from .stage_messenger import StageMessenger
from .stage_network import StageNetworks

logger = logging.getLogger(__name__)

STUCK_CHECK_TICKS: Final = 50


class Room:
    """
    One Space's sessions, sound and public state.  It is its endpoint's `MediaEvents`.

    Lifecycle: `run()` once; before it no session can be opened.  It returns when the
    room was ended, with all sessions closed.

    Args:
        endpoint: Started by the owner, with this room as its `MediaEvents`.
        recorder: Told of every desired state and of every packet, first.
        broadcast: Told of every block of the mix.
        utc_now: Aware UTC time, for what the public sees.
        long_frames_from: Listeners from which on they get packets of 60 ms.
        capacity: Sessions from which on no more listeners are let in.
    """

    def __init__(
        self,
        *,
        space_id: SpaceId,
        epoch: int,
        endpoint: MediaEndpoint,
        recorder: PacketTap,
        broadcast: Broadcast,
        new_decoder: Callable[[], SpeechDecoder],
        publisher: RoomPublisher,
        clock: Clock,
        utc_now: Callable[[], datetime],
        long_frames_from: int,
        capacity: int,
    ) -> None:
        self.epoch = epoch
        self.endpoint = endpoint
        self.relays = Relays(clock)
        self.book = SessionBook(broadcast, self.relays)
        self.stage = StageAudio(
            new_decoder, heard=recorder.blocks_heard, mixed=broadcast.mixed
        )
        self.care = ListenerCare(endpoint, self.stage, long_frames_from)
        self.recorder = recorder
        self.board = Board(
            space_id,
            epoch,
            recorder=recorder,
            broadcast=broadcast,
            spread=endpoint.listeners_by_process,
            utc_now=utc_now,
        )
        self.reactions = ReactionTally()
        self.loop = MixLoop(self._tick, ptime_s=PTIME_MS / 1000, clock=clock)
        self.mixing = Durations()  # decoding, mixing and encoding, tick by tick
        self._clock = clock
        self._desired = DesiredCell(unknown_state(epoch), clock=clock)
        self._life = RoomLife()
        self._admission = Admission(
            self._desired, self.book, self._life, capacity=capacity
        )
        self.doorway = Doorway(
            endpoint,
            self.book,
            self._admission,
            new_id=lambda: SessionId(secrets.token_urlsafe(18)),
            closed=self.session_closed,
        )
        self._messenger = StageMessenger(endpoint, self.book)
        self._networks = StageNetworks(endpoint, self.book, self.stage.speakers)
        self._announcer = Announcer(
            self.board,
            refresh=self._take_turn,
            tell_stage=self._messenger.tell_all,
            publisher=publisher,
            clock=clock,
        )
        self._routing = MixRouting(endpoint)
        self._informed = False  # nothing is told before Firestore was heard
        self._senders: dict[SessionId, UserId] = {}
        self._talking: tuple[UserId, ...] = ()
        self._ticks = 0

    @property
    def desired(self) -> DesiredState:
        """What Firestore wants, as far as is known."""
        return self._desired.value

    async def run(self) -> RoomEnd:
        """
        Mix until the room is ended, then close all sessions; return why it ended.

        Raises:
            ExceptionGroup: a tick or an announcement crashed.
        """
        try:
            async with self.loop, asyncio.TaskGroup() as tasks:
                self.doorway.tasks = tasks
                self._life.open()
                announcing = tasks.create_task(self._announcer.run())
                watching = tasks.create_task(self.loop.wait_closed())
                end = await self._life.ended()
                superseded = end in (RoomEnd.SUPERSEDED, RoomEnd.RELIEVED)
                if superseded or not self._informed:
                    announcing.cancel()  # what the public sees is another's now
                await self._close_all(end)
                watching.cancel()
                self._announcer.finish()
            return end
        finally:
            self.stage.close()

    def end(self, reason: RoomEnd) -> None:
        """Let `run` close everything and return; the first reason counts."""
        self._life.end(reason)

    def apply(self, desired: DesiredState) -> None:
        """Take a new desired state: sound follows at once, sessions right after."""
        before, recorded = self.desired, self.recorder.state
        self.recorder.apply(desired)
        if self._informed:
            self.stage.play(chime_between(recorded, self.recorder.state))
        self._informed = True
        self._desired.put(desired)
        for member in desired.stage.values():
            self.stage.set_muted(member.user_id, member.muted)
        if desired.epoch > self.epoch:
            self.end(RoomEnd.SUPERSEDED)
            return
        self._messenger.tell_changed(before, desired)
        for session_id, reason in sessions_to_close(desired, self.book):
            self._close_soon(session_id, reason)
        self._note_change()
        if not desired.live:
            self.end(RoomEnd.SPACE_ENDED)

    def presence(self, state: WorkerState) -> Presence:
        """Return what a heartbeat reports."""
        return self.book.presence(self.desired, state, self._admission.capacity)

    def react(self, reactions: Iterable[Reaction]) -> None:
        """Show what people send who were not removed."""
        self.reactions.add(reactions, removed=self.desired.removed)
        self._note_change()

    def packet_received(self, session_id: SessionId, packet: ReceivedPacket) -> None:
        """Take one RTP packet of a WHIP session."""
        user_id = self._senders.get(session_id)
        if user_id is not None:
            self.recorder.packet_received(user_id, packet)
            self.stage.insert(user_id, packet)

    def session_connected(self, session_id: SessionId) -> None:
        """Let a session be heard, or hear."""
        session = self.book.connect(session_id)
        if session is None or session.closing:
            return
        if session.kind is PeerKind.WHIP:
            self._start_sender(session)
        else:
            self._routing.add(session.user_id, session_id)
        self._note_change()

    def session_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Forget a session; the endpoint has logged its end."""
        session = self.doorway.forget(session_id, reason)
        if session is None:
            return
        self._silence(session)
        self._routing.remove(session.user_id, session_id)
        self._note_change()

    def stage_channel_opened(self, session_id: SessionId) -> None:
        """Tell somebody new on stage the room's state, and their own."""
        session = self.book.get(session_id)
        if session is None:
            return
        session.channel_open = True
        self._refresh_board()
        self.endpoint.send_stage_message(session_id, room_message(self.board.room))
        self._messenger.tell_you(session, self.desired)
        self._note_change()

    def _note_change(self) -> None:
        if self._informed:
            self._announcer.note_change()

    def _start_sender(self, session: Session) -> None:
        for other, user_id in list(self._senders.items()):
            if user_id == session.user_id:
                del self._senders[other]
        member = self.desired.stage.get(session.user_id)
        self._senders[session.session_id] = session.user_id
        self.stage.add(
            session.user_id,
            csrc=self.board.csrc(session.user_id),
            muted=member is None or member.muted,
        )

    def _silence(self, session: Session) -> None:
        if self._senders.pop(session.session_id, None) is not None:
            self.stage.remove(session.user_id)

    def _tick(self, due_s: float) -> None:
        self.endpoint.collect()
        hearers, on_stage = self._routing.hearers, self.desired.stage.keys()
        self.care.attend(hearers, on_stage, own=self._routing.own)
        began_s = self._clock.now_s()
        tick = self.stage.tick(due_s, hearers.keys(), long=self.care.needs_long)
        self.mixing.observe(self._clock.now_s() - began_s)
        self._routing.route(tick.own)
        if tick.frames:
            self.endpoint.send(tick.frames)
        if tick.talking != self._talking:
            self._talking = tick.talking
            self._note_change()
        self._ticks += 1
        if self._ticks % STUCK_CHECK_TICKS == 0:
            self.care.elsewhere = self.relays.losses()
            self._close_stuck(due_s)
            self._networks.look(self.desired, hearers)
            self._note_change()  # the recorder's state may have changed by itself

    def _close_stuck(self, now_s: float) -> None:
        for session_id, user_id in list(self._senders.items()):
            if self.stage.speakers[user_id].is_stuck(now_s):
                self._close_soon(session_id, PeerCloseReason.MEDIA_FAILED)

    def _close_soon(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        session = self.doorway.close_soon(session_id, reason)
        if session is not None:
            self._silence(session)

    async def _close_all(self, end: RoomEnd) -> None:
        self._refresh_board()
        self._messenger.tell_all(room_message(self.board.room))
        stage = self.desired.stage
        await let_go(
            self.book, self.doorway.close, end=end, clock=self._clock, first=stage
        )

    def _refresh_board(self) -> None:
        self.board.update(self.desired, self.book, self._talking, self.reactions.totals)

    def _take_turn(self) -> None:
        """Look at the board, and make up for what somebody's full channel missed."""
        self._refresh_board()
        self._messenger.tell_owed(self.desired)
        if self._messenger.owes:
            self._note_change()

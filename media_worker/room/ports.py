"""What the room needs from the outside, as interfaces which it defines itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId, UserId
from spaces_contract.recording import NOT_RECORDED, DesiredRecording, RecordingState
from spaces_contract.relays import RelayReport
from spaces_contract.roles import PeerCloseReason, PeerKind, Role
from spaces_contract.room_state import HlsKey, RoomState
from spaces_contract.runtime import WorkerState

from ..audio.frames import EncodedFrame, ReceivedPacket
from ..audio.mixer import Mix
from ..audio.opus import Block

FULL_MIX: Final = "full"  # source heard by everybody who does not talk
LONG_MIX: Final = "full-60ms"  # the same in a third of the packets, for large rooms


class SessionRefused(Exception):
    """
    A session was not opened; functions pass `code` on to the client.

    Args:
        detail: Written for the caller; holds no internals.
    """

    def __init__(self, code: ControlError, detail: str) -> None:
        super().__init__(f"{code.value}: {detail}")
        self.code = code
        self.detail = detail


class SdpRefused(SessionRefused):
    """The offer is not one that a `MediaEndpoint` can answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """
    What a media session is known by to all who handle it.

    Args:
        grant_id: Of the grant that opened it.
    """

    session_id: SessionId
    user_id: UserId
    kind: PeerKind
    grant_id: str


class MediaEvents(Protocol):
    """What a `MediaEndpoint` tells its owner, always on the event loop."""

    def packet_received(self, session_id: SessionId, packet: ReceivedPacket) -> None:
        """Take one RTP packet of a WHIP session; must not block."""

    def session_connected(self, session_id: SessionId) -> None:
        """Note that DTLS is up: media may flow."""

    def session_closed(self, session_id: SessionId, reason: PeerCloseReason) -> None:
        """Note the end of a session, however it came; called once for each."""

    def stage_channel_opened(self, session_id: SessionId) -> None:
        """Note that messages may be sent on this session's data channel."""


class MediaEndpoint(Protocol):
    """All WebRTC sessions of one process, on one UDP port."""

    async def open_session(self, offer_sdp: str, info: SessionInfo) -> str:
        """
        Open a session and return the SDP answer; media follows when DTLS is up.

        A WHEP session hears `FULL_MIX` until `hear` says otherwise.  Sessions of the
        same user and kind are closed with `REPLACED` once the new one is open.

        Raises:
            SdpRefused: with the `ControlError` that says why.
        """
        ...

    async def close_session(
        self, session_id: SessionId, reason: PeerCloseReason
    ) -> None:
        """Close it (DTLS close_notify); unknown ids are ignored."""
        ...

    def fraction_lost(self, session_id: SessionId) -> float:
        """Return the loss that a WHEP client last reported, 0 to 1."""
        ...

    def hear(self, session_id: SessionId, source: str) -> None:
        """Let a WHEP session hear `source` from the next frame on."""
        ...

    def listeners_by_process(self) -> tuple[int, ...]:
        """Return how many WHEP sessions each process has, the room's own first."""
        ...

    def collect(self) -> None:
        """
        Deliver what clients have sent; to be called before each tick.

        From the first call on it may be that nothing is delivered in between.
        """
        ...

    def send(self, frames: Mapping[str, EncodedFrame]) -> None:
        """Send one tick: to every connected WHEP session its source's frame."""
        ...

    def send_stage_message(self, session_id: SessionId, text: str) -> bool:
        """Send on a WHIP session's data channel; False where it is not open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredMember:
    """One person on stage, as Firestore has it."""

    user_id: UserId
    role: Role
    muted: bool
    handle: str
    display_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredState:
    """
    A Space as functions decided it; what the room reconciles itself with.

    Args:
        epoch: Of the Space; higher than the worker's own means: stop at once.
        live: False as soon as the Space has ended.
        stage: Those on stage, by uid.
        removed: uids that may hold no session.
        recording: What is to be recorded, and whom.
        host_away: Nobody leads, as functions see it.
        acting_host_id: Who leads instead of a host who is gone, as functions see it.
    """

    epoch: int
    live: bool
    title: str
    stage: Mapping[UserId, DesiredMember]
    removed: frozenset[UserId]
    recording: DesiredRecording = NOT_RECORDED
    host_away: bool = False
    acting_host_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """
    What a heartbeat reports: who is connected.

    Args:
        listener_count: Not on stage, by whichever means.
        hls_listener_count: Those of them who have no session.
        capacity: How many sessions of listeners there can be.
        relays: By their numbers; the counts and the capacity have theirs in them.
        leaving: A successor is wanted; until it has claimed all stays as it is.
    """

    state: WorkerState
    listener_count: int
    hls_listener_count: int
    capacity: int
    participant_count: int
    connected_ids: tuple[UserId, ...]
    relays: Mapping[int, RelayReport] = field(default_factory=dict)
    leaving: bool = False


class RoomPublisher(Protocol):
    """Where `room.json` goes."""

    async def publish(self, room: RoomState) -> None:
        """Write the object; may be slow or fail without harm to the audio."""
        ...

    def finish(self) -> None:
        """From now on try each version once: the newest matters, and time is short."""
        ...


class Broadcast(Protocol):
    """Who hears the mix without a session, in any number: by HLS."""

    @property
    def listener_count(self) -> int:
        """How many there are, as far as can be known."""
        ...

    @property
    def key(self) -> HlsKey | None:
        """What everybody may see of it; None while there is nothing to play."""
        ...

    def mixed(self, due_s: float, mix: Mix | None) -> None:
        """Take one block of the full mix, None for silence; must not block."""
        ...

    def forget(self, user_id: UserId) -> None:
        """Count somebody no more, who has a session now."""
        ...


class PacketTap(Protocol):
    """Who hears what speakers send beside the room: the recorder."""

    @property
    def state(self) -> RecordingState:
        """What everybody may see of the recording."""
        ...

    @property
    def notice_version(self) -> str:
        """Of the notice that everybody gets; empty while nothing is recorded."""
        ...

    def apply(self, desired: DesiredState) -> None:
        """Take a new desired state; must not block."""
        ...

    def packet_received(self, user_id: UserId, packet: ReceivedPacket) -> None:
        """Take one packet of a speaker, before anybody else; must not block."""
        ...

    def blocks_heard(self, blocks: Mapping[UserId, Block]) -> None:
        """Take what each speaker adds to one tick of the mix; must not block."""
        ...

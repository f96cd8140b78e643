"""Mixes the stage: blocks of every speaker in, encoded frames for all hearers out."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from spaces_contract.ids import UserId
from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ

from ..audio.frames import EncodedFrame, ReceivedPacket
from ..audio.mix_encoder import MixEncoder
from ..audio.mixer import Mix, mix_minus
from ..audio.opus import Block
from ..audio.resting_decoder import SpeechDecoder
from .chime import CHIME
from .long_frames import TIMESTAMP_MASK, LongFrames
from .ports import FULL_MIX, LONG_MIX
from .speaker import Speaker

PRIMING_BLOCKS: Final = 3  # a cold encoder would cost its hearer a glitch
MAX_PRIMED_PER_TICK: Final = 2  # each costs as many encodes as there are blocks


def own_mix(user_id: UserId) -> str:
    """Return the name of the source that `user_id` hears while they talk."""
    return f"minus:{user_id}"


@dataclass(frozen=True, slots=True)
class Tick:
    """
    What one tick made.

    Args:
        frames: By source name; every source that somebody may hear now.
        own: Those who must hear their own mix-minus; all others hear the full mix.
        talking: Who is heard just now, loudest first.
    """

    frames: Mapping[str, EncodedFrame]
    own: Set[UserId]
    talking: tuple[UserId, ...]


class StageAudio:
    """
    Speakers and encoders of one room.  `heard` is told what each adds to a tick,
    `mixed` the mix that everybody hears who does not talk.

    Only those who are in the mix cost an encode of their own; its encoder is primed
    with the blocks before, which for its hearer were the same as the full mix.
    Lifecycle: open until `close`.
    """

    def __init__(
        self,
        new_decoder: Callable[[], SpeechDecoder],
        *,
        heard: Callable[[Mapping[UserId, Block]], None],
        mixed: Callable[[float, Mix | None], None] = lambda *_: None,
    ) -> None:
        self._heard = heard
        self._mixed = mixed
        self.speakers: dict[UserId, Speaker] = {}
        self._new_decoder = new_decoder
        self._full = MixEncoder()
        self._long = LongFrames()
        self._fec_percent = 0
        self._own: dict[UserId, MixEncoder] = {}
        self._recent: deque[Mix | None] = deque(maxlen=PRIMING_BLOCKS)
        self._talking: tuple[UserId, ...] = ()
        self._unordered: list[UserId] = []  # the same, in the order of `speakers`
        self._began_s: float | None = None
        self._chime: deque[Block] = deque()

    def add(self, user_id: UserId, *, csrc: int, muted: bool) -> None:
        """Let `user_id` be heard; somebody who is here already begins anew."""
        self.remove(user_id)
        self.speakers[user_id] = Speaker(self._new_decoder(), csrc=csrc, muted=muted)

    def remove(self, user_id: UserId) -> None:
        """Take `user_id` out of the mix; unknown ones are ignored."""
        speaker = self.speakers.pop(user_id, None)
        if speaker is not None:
            speaker.close()

    def insert(self, user_id: UserId, packet: ReceivedPacket) -> None:
        """Take one packet of a speaker; of anybody else it is dropped."""
        speaker = self.speakers.get(user_id)
        if speaker is not None:
            speaker.insert(packet)

    def set_muted(self, user_id: UserId, muted: bool) -> None:
        """Mute or unmute a speaker, from the next block on."""
        speaker = self.speakers.get(user_id)
        if speaker is not None:
            speaker.set_muted(muted)

    def play(self, chime: Iterable[Block]) -> None:
        """Let everybody hear these blocks, one each tick, beside whoever talks."""
        self._chime.extend(chime)

    @property
    def begins_long_frame(self) -> bool:
        """Whether the next block begins a long frame: hearers may change over."""
        return self._long.is_empty

    def expect_loss(self, percent: int) -> None:
        """Let all mixes carry FEC worth `percent` of lost packets."""
        if percent != self._fec_percent:
            self._fec_percent = percent
            for encoder in (self._full, *self._own.values()):
                encoder.expect_loss(percent)

    def tick(self, now_s: float, hearing: Set[UserId], *, long: bool = False) -> Tick:
        """
        Mix and encode the block that is due at `now_s`.

        Args:
            hearing: Those who receive the mix; nothing is encoded for nobody.
            long: Whether somebody hears `LONG_MIX`.
        """
        blocks = {
            user_id: block
            for user_id, speaker in self.speakers.items()
            if (block := speaker.pull(now_s)) is not None
        }
        self._heard(blocks)
        voices: dict[UserId, Mix] = {
            user_id: self.speakers[user_id].level(block)
            for user_id, block in blocks.items()
        }
        if self._chime:
            voices[CHIME] = self._chime.popleft()
        full, minus = _mixes(voices)
        self._mixed(now_s, full)
        self._choose_talking()
        self._choose_own(hearing)
        frames = self._encode(now_s, full, minus) if hearing else {}
        if long and frames:
            complete = self._long.add(frames[FULL_MIX])
            if complete is not None:
                frames[LONG_MIX] = complete
        else:
            self._long.clear()
        self._recent.append(full)
        return Tick(frames, self._own.keys(), self._talking)

    def close(self) -> None:
        """Free all coders."""
        for user_id in list(self.speakers):
            self.remove(user_id)
        for encoder in (self._full, *self._own.values()):
            encoder.close()
        self._own.clear()

    def _choose_talking(self) -> None:
        """Order by loudness when somebody begins or ends, not with every block."""
        talking = [u for u, speaker in self.speakers.items() if speaker.is_talking]
        if talking != self._unordered:
            self._unordered = talking
            self._talking = tuple(
                sorted(talking, key=lambda user_id: self.speakers[user_id].level_dbov)
            )

    def _choose_own(self, hearing: Set[UserId]) -> None:
        for user_id in list(self._own):
            speaker = self.speakers.get(user_id)
            if speaker is None or not speaker.is_mixed or user_id not in hearing:
                self._own.pop(user_id).close()
        waiting = [
            user_id
            for user_id, speaker in self.speakers.items()
            if speaker.is_mixed and user_id in hearing and user_id not in self._own
        ]
        for user_id in waiting[:MAX_PRIMED_PER_TICK]:
            encoder = self._own[user_id] = MixEncoder()
            encoder.expect_loss(self._fec_percent)
            for mix in self._recent:
                encoder.encode(mix)

    def _encode(
        self,
        now_s: float,
        full: Mix | None,
        minus: Mapping[UserId, Mix | None],
    ) -> dict[str, EncodedFrame]:
        timestamp = self._timestamp(now_s)
        frames = {FULL_MIX: self._frame(self._full.encode(full), timestamp, None)}
        for user_id, encoder in self._own.items():
            payload = encoder.encode(minus.get(user_id, full))
            frames[own_mix(user_id)] = self._frame(payload, timestamp, user_id)
        return frames

    def _frame(
        self, payload: bytes, timestamp: int, without: UserId | None
    ) -> EncodedFrame:
        csrcs, levels = [], []
        for user_id in self._talking:
            if user_id != without:
                speaker = self.speakers[user_id]
                csrcs.append(speaker.csrc)
                levels.append(speaker.level_dbov)
        return EncodedFrame(
            payload=payload,
            timestamp=timestamp,
            duration_samples=BLOCK_SAMPLES,
            csrcs=tuple(csrcs),
            levels_dbov=tuple(levels),
        )

    def _timestamp(self, now_s: float) -> int:
        """Return RTP time, which goes on evenly over ticks that were skipped."""
        if self._began_s is None:
            self._began_s = now_s
        blocks = round((now_s - self._began_s) * SAMPLE_RATE_HZ / BLOCK_SAMPLES)
        return blocks * BLOCK_SAMPLES & TIMESTAMP_MASK


def _mixes(
    voices: Mapping[UserId, Mix],
) -> tuple[Mix | None, Mapping[UserId, Mix | None]]:
    """Return the full mix and those of whom it has a voice of; None is silence."""
    if not voices:
        return None, {}
    if len(voices) == 1:  # most of the time: nothing to add up
        ((user_id, alone),) = voices.items()
        return alone, {user_id: None}
    return mix_minus(voices)

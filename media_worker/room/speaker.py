"""One person on stage, as sound: their playout, loudness and mute."""

from typing import Final

from ..audio.frames import ReceivedPacket
from ..audio.leveller import Leveller
from ..audio.levels import SILENCE_DBOV, LevelGate, level_dbov
from ..audio.mixer import Mix
from ..audio.opus import Block
from ..audio.playout import Playout
from ..audio.resting_decoder import SILENCE, SpeechDecoder

# Who is louder than this is mixed: low enough for the softest consonant, and open
# long enough for every pause within speech.
MIX_OPEN_DBOV: Final = 62
MIX_HOLD_BLOCKS: Final = 25  # 500 ms
# Who is louder than this for 40 ms is shown as talking.
TALK_OPEN_DBOV: Final = 48
TALK_CONFIRM_BLOCKS: Final = 2
TALK_HOLD_BLOCKS: Final = 25  # 500 ms
STUCK_S: Final = 2.0
STUCK_PACKETS: Final = 20


class Speaker:
    """
    The receive path of one WHIP sender, from packets to blocks.

    Lifecycle: open until `close`.  While muted, packets are dropped unheard.

    Args:
        csrc: What RTP packets of the mix call this person.
    """

    def __init__(self, decoder: SpeechDecoder, *, csrc: int, muted: bool) -> None:
        self.csrc = csrc
        self.playout = Playout(decoder)
        self.muted = muted
        self.level_dbov = SILENCE_DBOV
        self.is_mixed = False  # in the mix just now
        self.is_talking = False  # to be shown as talking
        self.muted_packets = 0
        self._leveller = Leveller()
        self._mix_gate = LevelGate(MIX_OPEN_DBOV, 1, MIX_HOLD_BLOCKS)
        self._talk_gate = LevelGate(
            TALK_OPEN_DBOV, TALK_CONFIRM_BLOCKS, TALK_HOLD_BLOCKS
        )
        self._last_words: Block | None = None  # the fade-out of a mute
        self._checked_s: float | None = None
        self._checked = (0, 0)

    def insert(self, packet: ReceivedPacket) -> None:
        """Take one packet."""
        if self.muted:
            self.muted_packets += 1
        else:
            self.playout.insert(packet)

    def set_muted(self, muted: bool) -> None:
        """Mute at once, with a fade of 5 ms; nothing said later is ever decoded."""
        if muted and not self.muted:
            self._last_words = self.playout.mute()
            self._talk_gate.close()
            self.is_talking = False
        self.muted = muted

    def pull(self, now_s: float) -> Block | None:
        """Return what is heard of them in this tick, or None for silence."""
        if self.muted:
            block, self._last_words = self._last_words, None
        else:
            block = self.playout.pull(now_s)
        if block is None or block is SILENCE:
            self.level_dbov = SILENCE_DBOV
        else:
            self.level_dbov = level_dbov(block)
        self.is_talking = self._talk_gate.update(
            SILENCE_DBOV if self.muted else self.level_dbov
        )
        self.is_mixed = self._mix_gate.update(self.level_dbov)
        return block if self.is_mixed else None

    def level(self, block: Block) -> Mix:
        """Return what `pull` just returned as loud as others are; maybe itself."""
        return self._leveller.level(block, self.level_dbov)

    def is_stuck(self, now_s: float) -> bool:
        """
        Tell whether packets come in, but nothing has been decoded for 2 s.

        To be asked now and then; it looks at the time since it last looked.
        """
        counts = self.playout.counts.decoded, self.playout.buffer.counts.received
        if self._checked_s is None or self.muted:
            self._checked_s, self._checked = now_s, counts
            return False
        if now_s - self._checked_s < STUCK_S:
            return False
        decoded, received = (a - b for a, b in zip(counts, self._checked, strict=True))
        self._checked_s, self._checked = now_s, counts
        return decoded == 0 and received >= STUCK_PACKETS

    def close(self) -> None:
        """Free the decoder."""
        self.playout.close()

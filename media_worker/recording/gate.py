"""
The consent gate: which packets of a speaker may reach the recorder.

Pure.  Whatever is stored has passed `ConsentGate.admits`; there is no other way in.
"""

from dataclasses import dataclass
from typing import Final

from spaces_contract.media import SAMPLE_RATE_HZ
from spaces_contract.recording import GapReason

from ..audio.opus_packet import has_fec

_HALF: Final = 1 << 31
_MASK: Final = 0xFFFF_FFFF
LATE_SAMPLES: Final = 10 * SAMPLE_RATE_HZ  # no packet of one timeline comes so late


@dataclass(frozen=True, slots=True, kw_only=True)
class GateFacts:
    """
    What is known of one speaker when one of their packets arrives.

    Args:
        recording: The Space is being recorded, and by this epoch.
        consented: Consent is granted just now.
        on_stage: Firestore shows them on stage.
        unmuted: By themselves and by the host.
        fresh: A withdrawal, mute or demotion could not have gone unseen.
        paused: A host paused the recording.
        keyed: The stem's key is safely stored.
    """

    recording: bool
    consented: bool
    on_stage: bool
    unmuted: bool
    fresh: bool
    paused: bool
    keyed: bool

    @property
    def is_heard(self) -> bool:
        """Whether a consenting speaker is heard by the room that is recorded."""
        return self.recording and self.consented and self.on_stage and self.unmuted

    @property
    def is_open(self) -> bool:
        """Whether packets pass."""
        return self.is_heard and self.fresh and not self.paused and self.keyed

    @property
    def gap(self) -> GapReason | None:
        """Why a packet that the recording should hold does not pass."""
        if not self.is_heard or self.is_open:
            return None
        if not self.fresh:
            return GapReason.CONSENT_UNKNOWN
        return GapReason.PAUSED if self.paused else GapReason.KEY_UNAVAILABLE


class ConsentGate:
    """
    One speaker's gate.

    Each opening begins with the first packet that passes: what was said before it
    stays out, be it as a late packet or as a copy within that first one.
    """

    def __init__(self) -> None:
        self._ssrc: int | None = None  # None while closed
        self._floor = 0  # timestamp before which nothing may pass

    def close(self) -> None:
        """Let nothing pass until `admits` opens the gate again."""
        self._ssrc = None

    def admits(
        self, facts: GateFacts, *, ssrc: int, timestamp: int, payload: bytes
    ) -> bool:
        """
        Decide on one packet, in order of arrival.

        Args:
            timestamp: 32 bits, of the packet's first sample.
            payload: Opus packet, at least one byte.
        """
        if not facts.is_open:
            self.close()
            return False
        if self._is_opened_by(ssrc, timestamp):
            # RFC 6716 2.1.7: FEC would bring the frame from before the opening.
            return not has_fec(payload)
        return self._follows(timestamp)

    def _is_opened_by(self, ssrc: int, timestamp: int) -> bool:
        if ssrc == self._ssrc and _ahead(timestamp, self._floor) >= -LATE_SAMPLES:
            return False
        # The first one since the gate was closed, or one of another timeline.
        self._ssrc, self._floor = ssrc, timestamp
        return True

    def _follows(self, timestamp: int) -> bool:
        ahead = _ahead(timestamp, self._floor)
        if ahead > LATE_SAMPLES:  # keep close: 32 bits wrap within a day
            self._floor = (timestamp - LATE_SAMPLES) & _MASK
        return ahead >= 0


def _ahead(timestamp: int, other: int) -> int:
    """Return how far a 32 bit RTP timestamp is ahead of `other`; negative: behind."""
    ahead = (timestamp - other) & _MASK
    return ahead - (_MASK + 1) if ahead >= _HALF else ahead

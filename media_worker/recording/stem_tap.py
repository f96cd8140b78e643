"""One speaker's way from the gate to the pages that are about to be closed."""

from dataclasses import replace
from typing import Final

from spaces_contract.media import BLOCK_SAMPLES
from spaces_contract.recording import GapReason, StemId

from ..audio.frames import ReceivedPacket
from ..audio.opus_packet import without_padding
from .echo_watch import ORDINARY_SAMPLES
from .gate import ConsentGate, GateFacts
from .journal import Journal
from .speech_filter import Arrived, SpeechFilter

# Between two closings: 2,000 packets of 2.5 ms are 5 s, if the disk is so slow.
MAX_PENDING: Final = 2_000


class StemTap:
    """
    Packets of one speaker under one grant of consent, in memory only.

    Attributes:
        keyed: The stem's key is stored, so that pages can be sealed.
    """

    def __init__(self, stem: StemId) -> None:
        self.stem = stem
        self.keyed = False
        self._gate = ConsentGate()
        self._speech = SpeechFilter()
        self._pending: list[Arrived] = []
        self._withheld_until: int | None = None  # on the recording clock

    def take(
        self,
        packet: ReceivedPacket,
        arrival: int,
        *,
        facts: GateFacts,
        journal: Journal,
    ) -> None:
        """Take a packet that came at `arrival` of the recording clock, or refuse it."""
        if self._is_withheld(arrival) and facts.is_open:
            self._close(arrival, GapReason.ECHO, journal)
            return
        admitted = self._gate.admits(
            facts,
            ssrc=packet.ssrc,
            timestamp=packet.timestamp,
            payload=packet.payload,
        )
        if admitted:
            kept = replace(packet, payload=without_padding(packet.payload))
            self._pending += self._speech.passed(kept, arrival)
            if len(self._pending) > MAX_PENDING:
                _, lost = self._pending.pop(0)
                end = lost + BLOCK_SAMPLES
                journal.note_gap(self.stem, GapReason.STORE_LOST, lost, end)
        elif not facts.is_open:
            self._close(arrival, facts.gap, journal)

    def withhold(self, now: int, until: int, journal: Journal) -> None:
        """Drop what is not yet in a page, and what comes before `until`: an echo."""
        if self._pending:
            journal.note_gap(self.stem, GapReason.ECHO, self._pending[0][1], now)
            self._pending.clear()
        self._withheld_until = until

    def give_up(self, since: int, now: int, journal: Journal) -> None:
        """
        Drop what came since `since`: nobody will look for echoes in it any more.

        Where that is more than waits on any machine, it is told as a loss.
        """
        kept = [each for each in self._pending if each[1] < since]
        if len(kept) < len(self._pending):
            slow = now - since > ORDINARY_SAMPLES
            reason = GapReason.UNCHECKED if slow else GapReason.ECHO
            journal.note_gap(self.stem, reason, since, now)
        self._pending = kept

    def ready(self, before: int) -> list[Arrived]:
        """Give away what came before `before`; later ones may have to be ordered."""
        # In the order in which they were read.  A packet that lay in a socket may tell
        # an earlier arrival than one read before it; it goes with that one, so that
        # what came late is placed by what came in time.
        came = enumerate(arrival for _, arrival in self._pending)
        count = next((n for n, at in came if at >= before), len(self._pending))
        batch, self._pending = self._pending[:count], self._pending[count:]
        return batch

    def _is_withheld(self, arrival: int) -> bool:
        return self._withheld_until is not None and arrival < self._withheld_until

    def _close(self, arrival: int, gap: GapReason | None, journal: Journal) -> None:
        self._gate.close()
        self._speech.reset()
        if gap is not None:
            journal.note_gap(self.stem, gap, arrival, arrival + BLOCK_SAMPLES)

    def discard(self) -> None:
        """Forget everything that is not yet in a page."""
        self._pending.clear()
        self._speech.reset()
        self._gate.close()

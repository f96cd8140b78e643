"""Leaves out what nobody says: silence costs next to nothing."""

from collections import deque
from typing import Final

from ..audio.frames import ReceivedPacket

# Below what opens the room's mix for a voice: whatever the room heard is kept.
QUIET_DBOV: Final = 66
HOLD_PACKETS: Final = 25  # 500 ms: every pause within speech
# RFC 7845 4.6: a decoder that begins anywhere else needs 80 ms to be right.
LEAD_IN_PACKETS: Final = 4

Arrived = tuple[ReceivedPacket, int]  # and the recording clock at which it came


class SpeechFilter:
    """
    Passes packets from shortly before until shortly after a voice.

    Senders who tell no level (RFC 6464) are taken to talk.
    """

    def __init__(self) -> None:
        self._lead_in: deque[Arrived] = deque(maxlen=LEAD_IN_PACKETS)
        self._held = 0

    def reset(self) -> None:
        """Forget what was held back."""
        self._lead_in.clear()
        self._held = 0

    def passed(self, packet: ReceivedPacket, arrival: int) -> list[Arrived]:
        """Return what is to be kept now that this packet has come."""
        level_dbov = packet.level_dbov
        if level_dbov is None or level_dbov <= QUIET_DBOV:
            self._held = HOLD_PACKETS
        elif self._held:
            self._held -= 1
        else:
            self._lead_in.append((packet, arrival))
            return []
        kept = [*self._lead_in, (packet, arrival)]
        self._lead_in.clear()
        return kept

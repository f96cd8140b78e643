"""What one listener was sent of late, kept as it went out, to be sent again."""

from typing import Final

KEPT_PACKETS: Final = 50  # a second at 20 ms; later, no jitter buffer waits for it
RESENDS_A_PACKET: Final = 2  # so nobody makes us send more than three times the stream


class SentPackets:
    """
    The latest `KEPT_PACKETS` ciphertexts of a stream, by sequence number.

    They are kept rather than made again: a packet index encrypts once (RFC 3711 9.1).
    """

    def __init__(self) -> None:
        self._packets: dict[int, tuple[bytes, int]] = {}  # in the order sent

    def keep(self, packet: bytes) -> None:
        """Take in what is sent now; the oldest goes."""
        self._packets[int.from_bytes(packet[2:4])] = (packet, RESENDS_A_PACKET)
        if len(self._packets) > KEPT_PACKETS:
            del self._packets[next(iter(self._packets))]

    def take(self, sequence: int) -> bytes | None:
        """Return a packet to send again; None: gone, never sent, or had its turns."""
        packet, turns = self._packets.get(sequence, (None, 0))
        if packet is None or not turns:
            return None
        self._packets[sequence] = (packet, turns - 1)
        return packet

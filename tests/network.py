"""A simulated network between a sender's clock and ours, and a decoder that counts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.opus import Block
from media_worker.audio.playout import Playout
from tests.audio import BLOCK, Samples

PTIME_S = 0.020
SILK_20_MS = bytes([0x48]) + bytes(40)  # wide band, one frame of 20 ms, no FEC


class CountingDecoder:
    """Decodes nothing: says how much was asked of it."""

    def __init__(self) -> None:
        self.decoded = self.recovered = self.concealed = 0

    def decode(self, payload: bytes) -> Block:
        self.decoded += 1
        return np.full(BLOCK, 1_000, np.int16)

    def decode_lost(self, next_payload: bytes, samples: int) -> Block:
        self.recovered += 1
        return np.full(samples, 1_000, np.int16)

    def conceal(self, samples: int) -> Block:
        self.concealed += samples
        return np.full(samples, 1_000, np.int16)

    def close(self) -> None:
        pass


@dataclass
class Network:
    """
    Sends packets of 20 ms on a sender's clock and pulls blocks on ours.

    Args:
        delay_s: Packet number -> delay, or None for a lost one.
        rate: Of the sender's clock; 1.0002 is 200 ppm fast.
    """

    delay_s: Callable[[int], float | None] = lambda _: 0.0
    rate: float = 1.0
    payloads: Callable[[int], bytes] = lambda _: SILK_20_MS
    first_sequence: int = 0
    first_timestamp: int = 0
    blocks: list[Block | None] = field(default_factory=list)
    delays_s: list[float] = field(default_factory=list)

    def packet(self, number: int, arrival_s: float) -> ReceivedPacket:
        return ReceivedPacket(
            ssrc=7,
            sequence_number=(self.first_sequence + number) & 0xFFFF,
            timestamp=(self.first_timestamp + number * BLOCK) & 0xFFFF_FFFF,
            payload=self.payloads(number),
            level_dbov=None,
            arrival_s=arrival_s,
        )

    def arrivals(self, count: int) -> list[ReceivedPacket]:
        packets = []
        for number in range(count):
            delay_s = self.delay_s(number)
            if delay_s is not None:
                sent_s = 1.0 + number * PTIME_S / self.rate
                packets.append(self.packet(number, sent_s + delay_s))
        return sorted(packets, key=lambda packet: packet.arrival_s)

    def run(self, playout: Playout, packets: Iterable[ReceivedPacket]) -> None:
        """Deliver everything, and pull a block each 20 ms until a second after."""
        waiting = sorted(packets, key=lambda packet: packet.arrival_s)[::-1]
        last_s = waiting[0].arrival_s if waiting else 1.0
        tick = 0
        while (now_s := 1.0 + tick * PTIME_S + 0.007) < last_s + 1.0:
            while waiting and waiting[-1].arrival_s <= now_s:
                playout.insert(waiting.pop())
            self.blocks.append(playout.pull(now_s))
            if waiting and (delay_s := playout.delay_s(now_s)) is not None:
                self.delays_s.append(delay_s)
            tick += 1

    def heard(self) -> Samples:
        silence = np.zeros(BLOCK, np.int16)
        return np.concatenate([silence if b is None else b for b in self.blocks])


def counting() -> tuple[Playout, CountingDecoder]:
    """Return a playout over a decoder that counts."""
    decoder = CountingDecoder()
    return Playout(decoder), decoder

"""The same packets through the worker's whole path of sound, and through aiortc's."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from aiortc.codecs.opus import OpusDecoder
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket
from av.error import FFmpegError

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.mix_encoder import MixEncoder
from media_worker.audio.opus import Decoder
from media_worker.room.ports import FULL_MIX
from media_worker.room.stage_audio import StageAudio
from spaces_contract.ids import UserId
from tests.audio import BLOCK, Samples

PTIME_S: Final = 0.020
DRAIN_S: Final = 1.0


def parley(packets: Iterable[ReceivedPacket], phase_s: float) -> Samples:
    """
    Return what a listener hears: jitter buffer, decoder, mix, encoder, as they run.

    Args:
        phase_s: The first tick is so long after the first packet.
    """
    stage = StageAudio(Decoder, heard=lambda _: None)
    speaker, listener = UserId("speaker"), UserId("listener")
    stage.add(speaker, csrc=1, muted=False)
    heard = []
    with Decoder() as ears:
        for now_s, arrived in _ticks(packets, phase_s):
            for packet in arrived:
                stage.insert(speaker, packet)
            tick = stage.tick(now_s, {listener})
            heard.append(ears.decode(tick.frames[FULL_MIX].payload))
    stage.close()
    return np.concatenate(heard)


def stock_aiortc(packets: Iterable[ReceivedPacket], phase_s: float) -> Samples:
    """
    Return what a listener hears of a mixer that reads stock aiortc's track.

    Each tick takes the track's next frame, or is silent where there is none.
    """
    receiver, track = _AiortcReceiver(), deque[Samples]()
    blocks = []
    for _, arrived in _ticks(packets, phase_s):
        for packet in arrived:
            track.extend(block for _, block in receiver.receive(packet))
        blocks.append(track.popleft() if track else None)
    return _mixed(blocks)


def stock_aiortc_in_retrospect(packets: Iterable[ReceivedPacket]) -> Samples:
    """Return the same with every frame where its time stamp says: no delay counts."""
    receiver, placed = _AiortcReceiver(), dict[int, Samples]()
    for packet in sorted(packets, key=lambda packet: packet.arrival_s):
        placed |= {at // BLOCK: block for at, block in receiver.receive(packet)}
    return _mixed(placed.get(n) for n in range(min(placed), max(placed) + 1))


class _AiortcReceiver:
    """aiortc's jitter buffer and decoder, set and joined as by `RTCRtpReceiver`."""

    def __init__(self) -> None:
        self._buffer = JitterBuffer(capacity=16, prefetch=4)
        self._decoder = OpusDecoder()

    def receive(self, packet: ReceivedPacket) -> Iterator[tuple[int, Samples]]:
        """Yield what comes out for one packet that went in: time stamp and block."""
        rtp: Any = RtpPacket(
            sequence_number=packet.sequence_number,
            timestamp=packet.timestamp,
            payload=packet.payload,
        )
        rtp._data = packet.payload  # as aiortc's receiver sets it
        _, frame = self._buffer.add(rtp)
        if frame is None:
            return
        try:
            decoded: list[Any] = [*self._decoder.decode(frame)]
        except FFmpegError:  # aiortc logs it and goes on
            return
        for each in decoded:
            stereo = np.asarray(each.to_ndarray(), np.int16).reshape(-1, 2)
            for start in range(0, len(stereo), BLOCK):
                block = np.ascontiguousarray(stereo[start : start + BLOCK, 0])
                yield frame.timestamp + start, block


def _mixed(blocks: Iterable[Samples | None]) -> Samples:
    """Encode as the worker does and decode: only what was received may differ."""
    encoder = MixEncoder()
    with Decoder() as ears:
        heard = [ears.decode(encoder.encode(block)) for block in blocks]
    encoder.close()
    return np.concatenate(heard)


def _ticks(
    packets: Iterable[ReceivedPacket], phase_s: float
) -> Iterator[tuple[float, list[ReceivedPacket]]]:
    """Yield when each tick is due, and what has come since the one before."""
    waiting = deque(sorted(packets, key=lambda packet: packet.arrival_s))
    now_s, last_s = waiting[0].arrival_s + phase_s, waiting[-1].arrival_s
    while now_s < last_s + DRAIN_S:
        arrived = []
        while waiting and waiting[0].arrival_s <= now_s:
            arrived.append(waiting.popleft())
        yield now_s, arrived
        now_s += PTIME_S

"""
Mouth to ear: the delay that the worker adds, on a clean network, while 13 people talk.

Each speaker in turn whistles a short chirp over everybody's speech.  It is looked for
in what listeners are sent; the delay is from when its packet was sent to when its
packet came, each corrected by where in the packet the chirp begins.  So the client's
encoder and playback do not count; the worker's jitter buffers, ticks and encoder do.
"""

import asyncio
import contextlib
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from aiortc.rtp import RtpPacket

from media_worker.audio.opus import Decoder
from spaces_contract.roles import PeerKind
from tests import speech
from tests.audio import BLOCK, RATE_HZ, Samples
from tests.light_clients import LightPeer, LightSpeaker, Signalling, opus_frames
from tests.worker_process import EmbeddedFirestore, SpaceDocuments, WorkerProcess

SPEAKERS: Final = 13
LISTENERS: Final = 3
TURN_S: Final = 0.4
ROUND_S: Final = SPEAKERS * TURN_S
CHIRP_S: Final = 0.2
CHIRP_HZ: Final = (400.0, 3_400.0)
CHIRP_AMPLITUDE: Final = 12_000.0
SPEECH_GAIN: Final = 0.5  # thirteen at once are not to be all limiter
WARM_UP_S: Final = 4.0
MEASURED_S: Final = 6 * ROUND_S
LATEST_S: Final = 0.3  # no chirp is looked for later than that
BUDGET_MS: Final = {50: 45.0, 95: 60.0}  # by percentile, for frames of 20 ms


class NotingSpeaker(LightSpeaker):
    """A speaker who knows when each packet was sent."""

    def __init__(self, signalling: Signalling, frames: list[bytes]) -> None:
        super().__init__(signalling, frames)
        self.sent_s: list[float] = []

    def send_rtp(self, packet: bytes) -> None:
        """Note the time, and send."""
        self.sent_s.append(time.monotonic())
        super().send_rtp(packet)


class NotingListener(LightPeer):
    """A listener who keeps what came, and when."""

    def __init__(self, signalling: Signalling) -> None:
        super().__init__(signalling, PeerKind.WHEP)
        self.came: list[tuple[float, bytes]] = []

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Note the time of RTP."""
        if 127 < data[0] < 192 and not 192 <= data[1] <= 223:  # RFC 5761, 7983
            self.came.append((time.monotonic(), data))
        super().datagram_received(data, addr)


@dataclass(frozen=True, slots=True)
class Delays:
    """
    What was measured.

    Args:
        added_ms: Of each chirp at each listener.
        gaps_ms: Between a speaker's packets; on a busy machine speakers are late
            themselves, which jitter buffers answer with delay.
    """

    added_ms: list[float]
    gaps_ms: list[float]


@dataclass(frozen=True, slots=True)
class Voice:
    """
    What one speaker says in a loop.

    Args:
        chirp_at: Where the chirp begins once decoded, in samples.
    """

    packets: list[bytes]
    chirp_at: int


def run() -> list[dict[str, Any]]:
    """Measure with packets of 20 ms and of 60 ms, and return rows of `bench.json`."""
    voices = [_voice(number) for number in range(SPEAKERS)]
    short_ms = asyncio.run(_measure(voices, long_frames_from=1_000))
    long_ms = asyncio.run(_measure(voices, long_frames_from=1))
    return [
        *(
            _row("20 ms", short_ms, share, budget)
            for share, budget in BUDGET_MS.items()
        ),
        *(_row("60 ms", long_ms, share, None) for share in BUDGET_MS),
    ]


def _row(
    frames: str, delays: Delays, share: int, budget: float | None
) -> dict[str, Any]:
    added_ms = delays.added_ms
    value = statistics.quantiles(added_ms, n=100)[share - 1]
    gap_ms = statistics.quantiles(delays.gaps_ms, n=100)[-1]
    row: dict[str, Any] = {
        "name": f"mouth to ear, {SPEAKERS} talk, {frames} frames: p{share}",
        "value": value,
        "unit": "ms",
        "spread": f"{min(added_ms):.0f}-{max(added_ms):.0f}, {len(added_ms)} chirps; "
        f"p99 of speakers' gaps {gap_ms:.0f} ms",
    }
    if budget is not None:
        row |= {"baseline": "budget", "baseline_value": budget, "ratio": value / budget}
    return row


async def _measure(voices: list[Voice], *, long_frames_from: int) -> Delays:
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        firestore = await stack.enter_async_context(EmbeddedFirestore(folder / "data"))
        on_stage = [f"speaker{number}" for number in range(SPEAKERS)]
        documents = await stack.enter_async_context(
            SpaceDocuments.live(firestore.host, *on_stage)
        )
        settings = {"PARLEY_LONG_FRAMES_FROM": str(long_frames_from)}
        worker = await stack.enter_async_context(
            WorkerProcess(firestore.host, folder / "objects", settings=settings)
        )
        await worker.ready(documents)
        speakers = [NotingSpeaker(worker, voice.packets) for voice in voices]
        listeners = [NotingListener(worker) for _ in range(LISTENERS)]
        for number, speaker in enumerate(speakers):
            stack.push_async_callback(speaker.aclose)
            await speaker.connect("/whip", f"speaker{number}")
        for number, listener in enumerate(listeners):
            stack.push_async_callback(listener.aclose)
            await listener.connect("/whep", f"listener{number}")
        await _talk(speakers)
        gaps_s = [gap_s for each in speakers for gap_s in np.diff(each.sent_s)]
        heard = [_delays_ms(listener, speakers, voices) for listener in listeners]
        return Delays(
            added_ms=[delay_ms for delays_ms in heard for delay_ms in delays_ms],
            gaps_ms=[1_000 * float(gap_s) for gap_s in gaps_s],
        )


async def _talk(speakers: list[NotingSpeaker]) -> None:
    """Let them begin so that turns follow one another, each at a phase of its own."""
    for number, speaker in enumerate(speakers):
        speaker.start_talking()
        await asyncio.sleep((0.020 * number / SPEAKERS) % 0.020)
    await asyncio.sleep(WARM_UP_S + MEASURED_S)


def _voice(number: int) -> Voice:
    files = sorted(speech.DATA.glob("*.wav"))
    said = speech.load(files[number % len(files)])
    size = round(ROUND_S * RATE_HZ)
    start = number * RATE_HZ // 2 % said.size
    samples = SPEECH_GAIN * np.resize(np.roll(said, start), size)
    at = round(number * TURN_S * RATE_HZ)
    samples[at : at + CHIRP.size] = CHIRP
    packets = opus_frames(samples.astype(np.int16))
    with Decoder() as decoder:
        decoded = np.concatenate([decoder.decode(packet) for packet in packets])
    return Voice(packets, _chirp_in(decoded))


def _chirp() -> npt.NDArray[np.float64]:
    """Return a sine whose frequency rises evenly, faded at both ends."""
    time_s = np.arange(round(CHIRP_S * RATE_HZ)) / RATE_HZ
    low, high = CHIRP_HZ
    phase = 2 * np.pi * (low + (high - low) * time_s / (2 * CHIRP_S)) * time_s
    shape: npt.NDArray[np.float64] = np.hanning(time_s.size) * np.sin(phase)
    return CHIRP_AMPLITUDE * shape


CHIRP: Final = _chirp()


def _chirp_in(samples: Samples) -> int:
    """Return where the chirp begins."""
    signal = samples.astype(np.float64)
    size = 1 << (signal.size + CHIRP.size).bit_length()
    product = np.fft.rfft(signal, size) * np.conj(np.fft.rfft(CHIRP, size))
    likeness = np.fft.irfft(product, size)[: signal.size - CHIRP.size + 1]
    return int(np.argmax(np.abs(likeness)))


def _delays_ms(
    listener: NotingListener, speakers: list[NotingSpeaker], voices: list[Voice]
) -> list[float]:
    heard, times_s = _heard(listener)
    first_s = times_s[0] + WARM_UP_S
    last_s = times_s[-1] - LATEST_S - CHIRP_S
    delays_ms = []
    for speaker, voice in zip(speakers, voices, strict=True):
        packet, offset = divmod(voice.chirp_at, BLOCK)
        for sent_s in speaker.sent_s[packet :: len(voice.packets)]:
            said_s = sent_s + offset / RATE_HZ
            if not first_s < said_s < last_s:
                continue
            begin = int(np.searchsorted(times_s, said_s))
            end = begin + round((LATEST_S + CHIRP_S) * RATE_HZ)
            at = begin + _chirp_in(heard[begin:end])
            delays_ms.append(1_000 * float(times_s[at] - said_s))
    return delays_ms


def _heard(listener: NotingListener) -> tuple[Samples, npt.NDArray[np.float64]]:
    """Return all samples, and when each could be played at the earliest."""
    assert listener.dtls is not None
    blocks, times_s = [], []
    with Decoder() as decoder:
        for came_s, data in listener.came:
            packet = RtpPacket.parse(listener.dtls._rx_srtp.unprotect(data))
            block = decoder.decode(packet.payload)
            blocks.append(block)
            times_s.append(came_s + np.arange(block.size) / RATE_HZ)
    return np.concatenate(blocks), np.concatenate(times_s)

"""What the echo guard takes of clean talk, and of an echo that is talked over."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from media_worker.audio.opus import Decoder, Encoder
from media_worker.recording.echo_guard import EchoGuard
from media_worker.recording.echo_watch import CHECK_TICKS, HELD_SAMPLES
from media_worker.recording.epoch_recording import WITHHELD_SAMPLES
from spaces_contract.ids import UserId
from spaces_contract.media import BLOCK_SAMPLES, SAMPLE_RATE_HZ
from tests.audio import Samples, blocks_of
from tests.speech import DATA, load

ANA, CY = UserId("ana"), UserId("cy")
SPEEDS: Final = (0.87, 0.93, 1.0, 1.07, 1.14)  # higher and lower voices, and their pace
CLEAN_S: Final = 240  # of each of `SPEEDS`: 20 min
ECHO_S: Final = 40
DELAY_S: Final = 0.180
LONGEST_PAUSE_S: Final = 0.5
AUDIBLE: Final = 30  # as the room takes for silence what stays below


def talker(reading: int, speed: float, seconds: float, seed: int) -> Samples:
    """Return somebody who reads on and on, beginning anywhere, with short pauses."""
    chance = np.random.default_rng(seed)
    read = load(sorted(DATA.glob("*.wav"))[reading]).astype(np.float64)
    places = np.arange(int(len(read) / speed)) * speed
    voice = np.interp(places, np.arange(len(read)), read)
    parts: list[NDArray[np.float64]] = []
    while sum(map(len, parts)) < seconds * SAMPLE_RATE_HZ:
        parts.append(voice[chance.integers(0, len(voice) // 2) :])
        pause_s = chance.uniform(0, LONGEST_PAUSE_S)
        parts.append(np.zeros(int(pause_s * SAMPLE_RATE_HZ)))
    said = np.concatenate(parts)[: int(seconds * SAMPLE_RATE_HZ)]
    return said.astype(np.int16)


def withheld_clean() -> float:
    """Return the share of a consenting talker that is withheld without a reason."""
    return float(
        np.mean(
            [
                _withheld(
                    talker(turn % 2, speed, CLEAN_S, 2 * turn),
                    talker((turn + 1) % 2, SPEEDS[turn * 2 % 5], CLEAN_S, 2 * turn + 1),
                )
                for turn, speed in enumerate(SPEEDS)
            ]
        )
    )


def withheld_echo(level_db: float) -> float:
    """Return the share that is withheld while another is in the microphone, below."""
    shares = []
    for turn, speed in enumerate(SPEEDS):
        own = talker(turn % 2, speed, ECHO_S, 2 * turn)
        other = talker((turn + 1) % 2, SPEEDS[turn * 2 % 5], ECHO_S, 2 * turn + 1)
        late = np.roll(other, round(DELAY_S * SAMPLE_RATE_HZ)) * 10 ** (level_db / 20)
        microphone = np.clip(own + late, -32_768, 32_767).astype(np.int16)
        shares.append(_withheld(microphone, other))
    return float(np.mean(shares))


def _withheld(microphone: Samples, voice: Samples) -> float:
    guard = EchoGuard()
    lost = np.zeros(len(microphone) // BLOCK_SAMPLES + 1, bool)
    before, after = (n // BLOCK_SAMPLES for n in (HELD_SAMPLES, WITHHELD_SAMPLES))
    for tick, blocks in enumerate(_heard(microphone, voice)):
        guard.hear(blocks)
        if tick % CHECK_TICKS == CHECK_TICKS - 1:
            snapshot = guard.snapshot()
            if guard.check(snapshot, consenting=[ANA], others=[CY]):
                lost[max(0, tick - before) : tick + after] = True
    return float(lost.mean())


def _heard(microphone: Samples, voice: Samples) -> Iterator[dict[UserId, Any]]:
    """Yield what the room decodes of both, tick by tick."""
    for ana, cy in zip(_sent(microphone), _sent(voice), strict=True):
        blocks = {ANA: ana, CY: cy}
        yield {u: block for u, block in blocks.items() if np.abs(block).max() > AUDIBLE}


def _sent(samples: Samples) -> Iterator[Any]:
    with Encoder(bitrate_bps=32_000) as encoder, Decoder() as decoder:
        for block in blocks_of(samples):
            yield decoder.decode(encoder.encode(block))

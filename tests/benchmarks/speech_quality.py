"""
Speech quality: recorded speech through the worker over bad networks, against aiortc.

PESQ of what a listener hears.  Time is simulated and every loss comes of a seed, so
each run gives the same figures; only Chromium sends in real time.
"""

import asyncio
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from media_worker.audio.frames import ReceivedPacket
from tests import browser, speech
from tests.audio import Samples, alignment
from tests.benchmarks import pesq_score
from tests.benchmarks.chromium_speech import packets_of_chromium
from tests.benchmarks.pesq_score import pesq
from tests.benchmarks.receive_paths import (
    PTIME_S,
    parley,
    stock_aiortc,
    stock_aiortc_in_retrospect,
)
from tests.light_clients import opus_frames
from tests.network import Network

SEEDS: Final = range(8)
BURST_PACKETS: Final = 3  # lost in a row, on average
LOSSES: Final = (0.05, 0.10, 0.20)
CHROMIUM_LOSS: Final = 0.10
CHROMIUM_REPEATS: Final = 6
CHROMIUM_UNTOLD: Final = 1  # repeats, until it has seen reports of loss and added FEC
MARGIN: Final = speech.SAMPLE_RATE_HZ // 4  # jitter buffers move what they play


@dataclass(frozen=True, slots=True)
class Condition:
    """
    A network.

    Args:
        loss: Share of packets.
        jitter_s: Packets take between nothing and this longer than the fastest.
    """

    name: str
    loss: float = 0.0
    bursty: bool = False
    jitter_s: float = 0.0

    def packets(self, payloads: list[bytes], seed: int) -> list[ReceivedPacket]:
        """Return what arrives of `payloads`, one of them sent each 20 ms."""
        random = np.random.default_rng(seed)
        lost = [*self._lost(random, len(payloads))]
        delays_s = random.uniform(0.0, self.jitter_s, len(payloads))
        return Network(
            delay_s=lambda n: None if lost[n] else float(delays_s[n]),
            payloads=lambda n: payloads[n],
        ).arrivals(len(payloads))

    def _lost(self, random: np.random.Generator, count: int) -> Iterator[bool]:
        """Gilbert's model: one loss begets the next, or does not."""
        stays = 1 - 1 / BURST_PACKETS if self.bursty else self.loss
        begins = self.loss * (1 - stays) / (1 - self.loss)
        lost = False
        for _ in range(count):
            lost = bool(random.random() < (stays if lost else begins))
            yield lost


CONDITIONS: Final = (
    Condition("no loss"),
    *(Condition(f"{100 * p:.0f} % random loss", p) for p in LOSSES),
    *(Condition(f"{100 * p:.0f} % bursty loss", p, bursty=True) for p in LOSSES),
    Condition("50 ms jitter", jitter_s=0.050),
    Condition("10 % random loss, 50 ms jitter", 0.10, jitter_s=0.050),
)


@dataclass(frozen=True, slots=True)
class Scores:
    """PESQ of the same packets by each path: one for each seed or repeat."""

    ours: list[float] = field(default_factory=list)
    stock: list[float] = field(default_factory=list)
    in_retrospect: list[float] = field(default_factory=list)

    def add(self, said: Samples, packets: list[ReceivedPacket], phase_s: float) -> None:
        """Let all paths hear `packets`, which say `said` once or in a loop."""
        for scores, heard in (
            (self.ours, parley(packets, phase_s)),
            (self.stock, stock_aiortc(packets, phase_s)),
            (self.in_retrospect, stock_aiortc_in_retrospect(packets)),
        ):
            scores.extend(pesq(said, part) for part in _repeats(said, heard))


def run() -> list[dict[str, Any]]:
    """Measure every network and return rows of `bench.json`."""
    if not pesq_score.is_installed():
        _note("left out: PESQ needs a C compiler")
        return []
    files = sorted(speech.DATA.glob("*.wav"))
    said = np.concatenate([speech.load(path) for path in files])
    rows = [_row(each.name, _simulated(each, said)) for each in CONDITIONS]
    executable = browser.find_chromium()
    if executable is None:
        _note("Chromium as sender is left out: apt-get install chromium")
        return rows
    name = f"{100 * CHROMIUM_LOSS:.0f} % random loss, Chromium sends"
    return [*rows, _row(name, _from_chromium(executable, said))]


def _simulated(condition: Condition, said: Samples) -> Scores:
    _note(condition.name)
    payloads = opus_frames(said, loss_percent=round(100 * condition.loss))
    scores = Scores()
    for seed in SEEDS:
        # When ticks are due between two packets is chance too.
        phase_s = float(np.random.default_rng(seed).uniform(0, PTIME_S))
        scores.add(said, condition.packets(payloads, seed), phase_s)
    return scores


def _from_chromium(executable: str, said: Samples) -> Scores:
    _note("Chromium")
    packets = asyncio.run(
        packets_of_chromium(executable, said, CHROMIUM_LOSS, CHROMIUM_REPEATS)
    )
    scores = Scores()
    scores.add(said, packets, PTIME_S / 2)
    for path in (scores.ours, scores.stock, scores.in_retrospect):
        del path[:CHROMIUM_UNTOLD]
    return scores


def _repeats(said: Samples, heard: Samples) -> Iterator[Samples]:
    """Yield what was heard of each time that `said` was said."""
    first = max(0, alignment(said, heard[: 2 * said.size]) - MARGIN)
    last = max(first + 1, heard.size - said.size)
    for start in range(first, last, said.size):
        yield heard[start : start + said.size + 2 * MARGIN]


def _row(name: str, scores: Scores) -> dict[str, Any]:
    ours, stock = statistics.mean(scores.ours), statistics.mean(scores.stock)
    placed = statistics.mean(scores.in_retrospect)
    return {
        "name": f"speech quality, {name}",
        "value": ours,
        "unit": "PESQ",
        "baseline": "stock aiortc",
        "baseline_value": stock,
        "ratio": ours / stock,
        "spread": f"{min(scores.ours):.2f}-{max(scores.ours):.2f}; aiortc "
        f"{min(scores.stock):.2f}-{max(scores.stock):.2f}, in retrospect {placed:.2f}",
    }


def _note(text: str) -> None:
    sys.stderr.write(f"  {text} …\n")

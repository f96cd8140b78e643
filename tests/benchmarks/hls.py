"""HLS: what it costs a worker, and how long it takes from a mouth to an ear."""

import asyncio
import contextlib
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
from playwright.async_api import Browser, Page, async_playwright

from tests import speech
from tests.api import ApiError
from tests.audio import tone
from tests.browser import FLAGS, find_chromium
from tests.hls_library import built_hls_js
from tests.hls_site import HlsSite
from tests.light_clients import talking
from tests.worker_process import (
    SPACE,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)

WARM_UP_S: Final = 5.0
SLICE_S: Final = 5.0
SLICES: Final = 4
LISTEN_S: Final = 120.0
BEEP_S: Final = 0.3
PERIOD_S: Final = 8.0  # beeps; a delay is less
BUDGET_P95_S: Final = 6.0
BUDGET_CPU_PERCENT: Final = 3.0


@dataclass
class Measured:
    """What one round found."""

    off_percent: list[float]
    on_percent: list[float]
    publish_delay_s: float
    delays_s: dict[str, list[float]]
    stalls: dict[str, int]


async def _cpu(process: psutil.Process) -> list[float]:
    """Return how much of a core the worker takes, for each slice."""
    await asyncio.sleep(WARM_UP_S)
    slices = []
    for _ in range(SLICES):
        before, began_s = process.cpu_times(), time.monotonic()
        await asyncio.sleep(SLICE_S)
        after, took_s = process.cpu_times(), time.monotonic() - began_s
        busy_s = after.user + after.system - before.user - before.system
        slices.append(100 * busy_s / took_s)
    return slices


async def _measure(folder: Path, hls_js: Path | None) -> Measured:
    async with contextlib.AsyncExitStack() as opened:
        server = await opened.enter_async_context(EmbeddedFirestore(folder / "data"))
        documents = await opened.enter_async_context(
            SpaceDocuments.live(server.host, "ana")
        )
        worker = WorkerProcess(server.host, folder / "objects")
        await opened.enter_async_context(worker)
        await worker.ready(documents)
        process = psutil.Process(worker.process.pid)
        async with talking(worker, "ana", np.concatenate(speech.conversation(1))):
            off_percent = await _cpu(process)
            await until(lambda: _announce(worker))
            on_percent = await _cpu(process)
        pause = np.zeros(round(48_000 * (PERIOD_S - BEEP_S)), np.int16)
        beep = tone(800, seconds=BEEP_S, amplitude=12_000)
        beeps = np.concatenate([beep, pause])
        await opened.enter_async_context(talking(worker, "ana", beeps))
        began_s = time.time()
        delays_s, stalls = await _hear(worker, folder / "objects", hls_js, began_s)
        metrics = await worker.metrics()
        publish_delay_s = metrics["hls_publish_delay_s"]
    return Measured(off_percent, on_percent, publish_delay_s, delays_s, stalls)


async def _announce(worker: WorkerProcess) -> bool:
    try:
        await worker.listen_by_hls("lea")
    except ApiError:
        return False
    return True


async def _hear(
    worker: WorkerProcess, objects: Path, hls_js: Path | None, began_s: float
) -> tuple[dict[str, list[float]], dict[str, int]]:
    """Return each player's delays, and how often it had to wait."""
    players = {"native": True} | ({"hls.js": False} if hls_js else {})
    async with (
        HlsSite(
            objects,
            SPACE,
            announce=lambda: until(lambda: _announce(worker)),
            fetch_key=lambda number: worker.hls_key("lea", number),
            hls_js=hls_js,
        ) as site,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(
            executable_path=find_chromium(), args=[*FLAGS]
        )
        pages = {
            name: await _play(browser, site.url, native)
            for name, native in players.items()
        }
        await asyncio.sleep(LISTEN_S)
        heard = {name: await page.evaluate("onsets") for name, page in pages.items()}
        events = {name: await page.evaluate("events") for name, page in pages.items()}
        await browser.close()
    delays_s = {
        name: [(at_ms / 1000 - began_s) % PERIOD_S for at_ms in times[1:]]
        for name, times in heard.items()
    }
    stalls = {
        name: sum(event[0] == "waiting" and event[1] > 1 for event in noted)
        for name, noted in events.items()
    }
    return delays_s, stalls


async def _play(browser: Browser, url: str, native: bool) -> Page:
    page = await browser.new_page()
    await page.goto(url)
    await page.evaluate("(native) => play(native)", native)
    return page


def _delay_rows(found: Measured) -> list[dict[str, Any]]:
    rows = []
    for name, delays_s in found.delays_s.items():
        p95_s = statistics.quantiles(delays_s, n=20, method="inclusive")[-1]
        rows.append(
            {
                "name": f"HLS mouth to ear, {name}",
                "value": p95_s,
                "unit": f"s, p95 of {len(delays_s)}",
                "baseline": "budget",
                "baseline_value": BUDGET_P95_S,
                "ratio": p95_s / BUDGET_P95_S,
                "spread": f"{min(delays_s):.2f} to {max(delays_s):.2f}, "
                f"{found.stalls[name]} stalls",
            }
        )
    return rows


def _cpu_row(off: Sequence[float], on: Sequence[float]) -> dict[str, Any]:
    cost_percent = statistics.median(on) - statistics.median(off)
    return {
        "name": "HLS of one room",
        "value": cost_percent,
        "unit": "% of a core",
        "baseline": "budget",
        "baseline_value": BUDGET_CPU_PERCENT,
        "ratio": cost_percent / BUDGET_CPU_PERCENT,
        "spread": f"off {min(off):.1f} to {max(off):.1f}, "
        f"on {min(on):.1f} to {max(on):.1f}",
    }


def run() -> list[dict[str, Any]]:
    """Run a worker with and without HLS, and let Chromium listen for two minutes."""
    if find_chromium() is None:
        sys.stderr.write("skipped: chromium is missing: apt-get install chromium\n")
        return []
    with tempfile.TemporaryDirectory() as folder:
        hls_js = built_hls_js(Path(folder))
        if hls_js is None:
            sys.stderr.write("no hls.js: npm is missing\n")
        found = asyncio.run(_measure(Path(folder), hls_js))
    publishing = {
        "name": "HLS segment, from its last sample to the playlist",
        "value": found.publish_delay_s,
        "unit": "s, last",
    }
    cost = _cpu_row(found.off_percent, found.on_percent)
    return [cost, publishing, *_delay_rows(found)]

"""The same stems through ffmpeg alone: `amix`, `loudnorm`, AAC."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from media_worker.recording import ogg
from media_worker.recording.opening import Stores
from media_worker.recording.stem_reader import StemReader
from media_worker.recording.stem_set import stem_set
from spaces_contract.media import BLOCK_SAMPLES
from spaces_contract.recording_render import RenderJob

ROOT: Final = Path(__file__).parents[2]
SILENCE: Final = b"\xf8\xff\xfe"  # 20 ms of it, as Opus
PAGE_PACKETS: Final = 50
MONO: Final = "aformat=channel_layouts=mono"
LOUDNESS: Final = f"{MONO},loudnorm=I=-16:TP=-1.5,aresample=48000,{MONO}"


@dataclass(frozen=True, slots=True)
class Took:
    """What a process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def timed(command: Sequence[str], *, env: Mapping[str, str] | None = None) -> Took:
    """
    Run a process to its end.

    Raises:
        RuntimeError: it failed.
    """
    began_s = time.monotonic()
    process = subprocess.Popen(command, env=env, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - began_s
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} failed")
    return Took(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1_024)


def ffmpeg_render(stores: Stores, job: RenderJob, folder: Path) -> Took | None:
    """Render the stems of a job; None where there is no ffmpeg."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return None
    stems = _opened(stores, job, folder)
    inputs = [part for stem in stems for part in ("-i", str(stem))]
    mix = f"amix=inputs={len(stems)}:normalize=0,{LOUDNESS}[out]"
    return timed(
        [
            *(ffmpeg, "-nostdin", "-v", "error", "-y", *inputs),
            *("-filter_complex", mix, "-map", "[out]"),
            *("-c:a", "aac", "-b:a", "80k", str(folder / "ffmpeg.m4a")),
        ]
    )


def _opened(stores: Stores, job: RenderJob, folder: Path) -> list[Path]:
    """Write each stem as an Ogg file, with silence where nothing was stored."""
    paths = []
    for number, item in enumerate(stem_set(job, stores).epochs):
        path = folder / f"{number:02}.opus"
        with path.open("wb") as file:
            for page in _pages(number, item.reader):
                file.write(page)
        paths.append(path)
    return paths


def _pages(serial: int, reader: StemReader) -> Iterator[bytes]:
    yield from ogg.header_pages(serial)
    position, number = 0, 2
    packets = _without_holes(reader)
    while batch := list(islice(packets, PAGE_PACKETS)):
        position += len(batch) * BLOCK_SAMPLES
        yield ogg.page(serial, number, position, batch)
        number += 1


def _without_holes(reader: StemReader) -> Iterator[bytes]:
    end = 0
    for page in reader.pages():
        while page.start - end >= BLOCK_SAMPLES:
            yield SILENCE
            end += BLOCK_SAMPLES
        yield from page.packets
        end += len(page.packets) * BLOCK_SAMPLES

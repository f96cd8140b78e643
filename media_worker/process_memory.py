"""Keeps a worker small: memory and threads that libraries would take for speed."""

import ctypes
import gc
import os
import sys
from pathlib import Path
from typing import Final

M_ARENA_MAX: Final = -8  # malloc.h
ARENAS: Final = 2
STATM: Final = Path("/proc/self/statm")
GC_THRESHOLD: Final = 5_000


def limit_libraries() -> None:
    """Keep glibc and numpy from reckoning with many cores; before they are loaded."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a block is no matrix
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
        if mallopt is not None:
            mallopt(M_ARENA_MAX, ARENAS)


def settle() -> None:
    """Take what has been imported out of the collector's sight: shorter pauses."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


def rss_bytes() -> int:
    """Return this process' resident memory; 0 where the system does not tell."""
    if not STATM.exists():  # as on macOS
        return 0
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

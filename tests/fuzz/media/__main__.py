"""Fuzz all targets: `python -m tests.fuzz.media [--inputs N] [--seed 1] [NAME …]`."""

import argparse
import sys
import time

import psutil

from .mutation import mutations
from .targets import Target, targets

MAX_GROWTH_MB = 16.0


def fuzz(target: Target, inputs: int, seed: int) -> float:
    """
    Feed `inputs` mutations; return the growth of resident memory in MB.

    Raises:
        Exception: whatever the target raised, the input in a note.
    """
    process = psutil.Process()
    warm_up = max(1, inputs // 10)  # caches fill, and are no growth
    before = 0
    for index, data in enumerate(
        mutations(target.seeds, inputs, seed, tokens=target.tokens)
    ):
        if index == warm_up:
            before = process.memory_info().rss
        try:
            target.feed(data)
        except Exception as error:
            error.add_note(f"{target.name} input {index} of seed {seed}: {data!r}")
            raise
    return (process.memory_info().rss - before) / 1e6 if before else 0.0


def main() -> int:
    """Run the named targets; 1 where one grew."""
    known = {target.name: target for target in targets()}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(known))
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if not set(arguments.names) <= set(known):
        parser.error(f"targets are: {' '.join(known)}")
    failed = 0
    for name in arguments.names:
        begin_s = time.monotonic()
        growth_mb = fuzz(known[name], arguments.inputs, arguments.seed)
        passed_s = time.monotonic() - begin_s
        sys.stdout.write(
            f"{name}: {arguments.inputs} inputs in {passed_s:.0f} s, "
            f"no crash, memory {growth_mb:+.1f} MB\n"
        )
        failed |= growth_mb > MAX_GROWTH_MB
    return failed


if __name__ == "__main__":
    sys.exit(main())

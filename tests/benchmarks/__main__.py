"""
Run the benchmarks one after the other, print a table, write build/bench.json.

What the measured processes log goes to build/bench.log.
"""

import argparse
import importlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any, Final

# One at a time: side by side they would measure each other.
MODULES: Final = (
    "fan_out",
    "junk",
    "fan_out_push",
    "firestore",
    "listeners",
    "relays",
    "rooms",
    "hls",
    "swarm",
    "mouth_to_ear",
    "mute",
    "speech_quality",
    "recovery",
    "recording",
    "calls",
    "containers",
    "warm_start",
    "cold_start",
    "request_overhead",
)
OUTPUT: Final = Path("build/bench.json")
LOG: Final = Path("build/bench.log")
COLUMNS: Final = ("name", "value", "unit", "baseline", "baseline_value", "ratio")


def run(names: list[str]) -> list[dict[str, Any]]:
    """Run the named benchmark modules; each answers rows of `bench.json`."""
    rows: list[dict[str, Any]] = []
    for name in names:
        module = importlib.import_module(f"tests.benchmarks.{name}")
        sys.stderr.write(f"{name} …\n")
        rows += module.run()
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Lay rows out in columns; the spread stands behind the ratio."""
    lines = [[*COLUMNS, "spread"]]
    for row in rows:
        cells = [_cell(row.get(column)) for column in COLUMNS]
        lines.append([*cells, _cell(row.get("spread"))])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def _cell(value: Any) -> str:
    if value is None:
        return "–"  # noqa: RUF001 -- the sign for "none" in a table
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _set_logs_aside() -> None:
    """Leave the terminal to this module: processes that it starts inherit the file."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    with LOG.open("wb") as log:
        os.dup2(log.fileno(), 2)
    logging.basicConfig(filename=LOG)


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(MODULES), choices=MODULES)
    names = parser.parse_args().names
    OUTPUT.parent.mkdir(exist_ok=True)
    _set_logs_aside()
    rows = run(names)
    OUTPUT.write_text(json.dumps(rows, indent=1) + "\n")
    sys.stdout.write(table(rows) + "\n")


if __name__ == "__main__":
    main()

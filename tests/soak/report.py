"""What a soak found: its figures, beside what is promised."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from tests.soak.objectives import objectives

RESULT: Final = Path(__file__).parents[2] / "build/soak.json"
_HEADS: Final = ("figure", "value", "promised", "verdict", "of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure; `kept` is None where nothing is promised."""

    name: str
    value: float
    unit: str
    bound: str = ""
    kept: bool | None = None
    of: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return it as text."""
        verdict = {True: "kept", False: "MISSED", None: ""}[self.kept]
        shown = f"{self.value:.4g} {self.unit}"
        return (self.name, shown, self.bound, verdict, self.of)


def promises(samples: Mapping[str, Sequence[float]]) -> list[Row]:
    """Judge the samples of each objective that a soak measures."""
    rows = []
    for objective in objectives().values():
        if objective.measured_by != "soak":
            continue
        taken = samples[objective.id]
        if not taken and objective.statistic != "count":
            # Too short a soak for it; the lead's is not, and says MISSED by its count.
            rows.append(_unmeasured(objective.id, objective.bound()))
            continue
        value = objective.value_of(taken)
        share = objective.statistic == "share"
        rows.append(
            Row(
                name=objective.id,
                value=100 * value if share else value,
                unit=f"% {objective.unit}" if share else objective.unit,
                bound=objective.bound(),
                kept=objective.keeps(value),
                of=f"{len(taken)} samples" + _range(taken, share=share),
            )
        )
    return rows


def _unmeasured(name: str, bound: str) -> Row:
    return Row(
        name=name, value=float("nan"), unit="", bound=bound, of="too short to measure"
    )


def _range(taken: Sequence[float], *, share: bool) -> str:
    if share or not taken:
        return ""
    return f", {min(taken):.3g} to {max(taken):.3g}"


def print_rows(rows: Sequence[Row]) -> None:
    """Print a table."""
    cells = [_HEADS, *(row.cells() for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        line = "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        )
        sys.stdout.write(line.rstrip() + "\n")


def write(rows: Sequence[Row], about: Mapping[str, Any]) -> None:
    """Write build/soak.json."""
    RESULT.parent.mkdir(exist_ok=True)
    figures = [asdict(row) for row in rows]
    RESULT.write_text(json.dumps({**about, "figures": figures}, indent=2) + "\n")

"""What a soak found: its figures, beside what is promised."""

import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from tests.soak.objectives import Objective, objectives

RESULT: Final = Path(__file__).parents[2] / "build/soak.json"
_HEADS: Final = ("figure", "value", "promised", "verdict", "of")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure; `value` is None where it was not measured, `kept` without a bound."""

    name: str
    value: float | None
    unit: str
    bound: str = ""
    kept: bool | None = None
    of: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return it as text."""
        verdict = {True: "kept", False: "MISSED", None: ""}[self.kept]
        shown = "unknown" if self.value is None else f"{self.value:.4g} {self.unit}"
        return (self.name, shown, self.bound, verdict, self.of)


def promises(samples: Mapping[str, Sequence[float]], *, whole: bool) -> list[Row]:
    """
    Judge the samples of each objective that a soak measures.

    Args:
        whole: Whether it was long enough for all of them to be measured.
    """
    return [
        _judged(objective, samples[objective.id], whole=whole)
        for objective in objectives().values()
        if objective.measured_by == "soak"
    ]


def _judged(objective: Objective, taken: Sequence[float], *, whole: bool) -> Row:
    name, bound = objective.id, objective.bound()
    if not taken and objective.statistic != "count":
        kept = False if whole else None
        return Row(
            name=name, value=None, unit="", bound=bound, kept=kept, of="not measured"
        )
    value = objective.value_of(taken)
    share = objective.statistic == "share"
    return Row(
        name=name,
        value=100 * value if share else value,
        unit=f"% {objective.unit}" if share else objective.unit,
        bound=bound,
        kept=objective.keeps(value),
        of=f"{len(taken)} samples" + _range(taken, share=share),
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
    """Write build/soak.json; what never ended is null there."""
    RESULT.parent.mkdir(exist_ok=True)
    finite = [
        row
        if row.value is None or math.isfinite(row.value)
        else replace(row, value=None)
        for row in rows
    ]
    figures = [asdict(row) for row in finite]
    RESULT.write_text(json.dumps({**about, "figures": figures}, indent=2) + "\n")

"""The promises of `infra/observability/slos.json`, and how a figure is judged."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SOURCE: Final = Path(__file__).parents[2] / "infra/observability/slos.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """
    One promise.

    Args:
        statistic: "share", "count", "max", or a percentile: "p95".
        at_least: The bound where more is better; None where less is.
        measured_by: The command that measures it: "soak", "crash", "upgrade".
    """

    id: str
    promise: str
    statistic: str
    unit: str
    measured_by: str
    at_least: float | None = None
    at_most: float | None = None

    def keeps(self, value: float) -> bool:
        """Return whether `value` is within the bound."""
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is not None and value <= self.at_most

    def bound(self) -> str:
        """Return the bound in words, as the page has it."""
        if self.statistic == "share":
            share = self.at_least or 0.0
            return f"{'all' if share == 1 else f'≥ {100 * share:g} %'} {self.unit}"
        if self.statistic == "count":
            return "none" if self.at_most == 0 else f"≤ {self.at_most:g} {self.unit}"
        return f"{self.statistic} ≤ {self.at_most:g} {self.unit}"

    def value_of(self, samples: Sequence[float]) -> float:
        """
        Return what the statistic makes of samples; for a share, each is 0 or 1.

        Raises:
            ValueError: there is no sample, and it is no count.
        """
        if self.statistic == "count":
            return float(sum(samples))
        if not samples:
            raise ValueError(f"nothing was measured of {self.id}")
        if self.statistic == "share":
            return sum(samples) / len(samples)
        if self.statistic == "max":
            return max(samples)
        rank = math.ceil(int(self.statistic.removeprefix("p")) / 100 * len(samples))
        return sorted(samples)[rank - 1]


def objectives(source: Path = SOURCE) -> dict[str, Objective]:
    """Return all promises by their ids, in the order of the file."""
    rows: list[dict[str, Any]] = json.loads(source.read_text())["objectives"]
    return {row["id"]: Objective(**row) for row in rows}

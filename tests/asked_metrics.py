"""What dashboards and alert rules ask for, and what workers can tell."""

import ast
import functools
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import promql_parser
import yaml

from media_worker.audio.jitter_buffer import JitterCounts
from media_worker.audio.playout import PlayoutCounts
from media_worker.egress.fan_out import FanOutCounters
from media_worker.metrics import PREFIX
from media_worker.transport.counters import EndpointCounters

ROOT: Final = Path(__file__).parents[1]
FOLDER: Final = ROOT / "infra/observability"
RULES: Final = yaml.safe_load((FOLDER / "workers.rules.yaml").read_text())
RECORDED: Final = {
    r["record"] for g in RULES["groups"] for r in g["rules"] if "record" in r
}
GRAFANA: Final = json.loads((FOLDER / "workers.grafana.json").read_text())
GOOGLE: Final = json.loads((FOLDER / "google-dashboard.json").read_text())


def expressions() -> Iterator[tuple[str, str]]:
    """Yield each PromQL expression of rules and dashboards, by where it stands."""
    for group in RULES["groups"]:
        for rule in group["rules"]:
            yield rule.get("alert") or rule["record"], rule["expr"]
    for panel in GRAFANA["panels"]:
        for target in panel.get("targets", ()):
            # What Grafana puts in before it asks Prometheus.
            asked = target["expr"].replace("$__rate_interval", "1m")
            yield f"Grafana: {panel['title']}", asked
    for title, query in google_queries():
        if "prometheusQuery" in query:
            yield f"Google: {title}", query["prometheusQuery"]


def google_queries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each query of Google's dashboard, by its tile."""
    for tile in GOOGLE["mosaicLayout"]["tiles"]:
        for data in tile["widget"]["xyChart"]["dataSets"]:
            yield tile["widget"]["title"], data["timeSeriesQuery"]


EXPRESSIONS: Final = dict.fromkeys(expressions())


def metrics_of(expression: str) -> set[str]:
    """Return the names of the metrics that it asks for; raises ValueError."""
    found: set[str] = set()
    _collect(promql_parser.parse(expression), found)
    return found


def _collect(node: Any, found: set[str]) -> None:
    if isinstance(node, promql_parser.VectorSelector):
        found.add(node.name or "")
        return
    if isinstance(node, promql_parser.Call):
        for argument in node.args:
            _collect(argument, found)
    for part in ("expr", "lhs", "rhs", "param", "vector_selector"):
        child = getattr(node, part, None)
        if child is not None:
            _collect(child, found)


def used_metrics() -> set[str]:
    """Return the names of workers' metrics that rules and dashboards ask for."""
    return {n for _, e in EXPRESSIONS for n in metrics_of(e)} - RECORDED


@functools.cache
def metrics_in_code() -> set[str]:
    """Return the names of all metrics that workers of some kind can tell."""
    counts = (
        ("transport_", EndpointCounters),
        ("fan_out_", FanOutCounters),
        ("speaker_", JitterCounts),
        ("speaker_", PlayoutCounts),
    )
    names = {f"{p}{f.name}_total" for p, kind in counts for f in fields(kind)}
    for module in (ROOT / "media_worker").rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name(id="Metric"), args=[ast.Constant(value=str(name)), *_]
                ):
                    names.add(name)
                case ast.FunctionDef(name="tick_histograms"):
                    (made,) = (n for n in ast.walk(node) if isinstance(n, ast.Dict))
                    keys = [ast.literal_eval(key) for key in made.keys if key]
                    parts = ("bucket", "sum", "count")
                    names |= {f"{key}_{part}" for key in keys for part in parts}
    return {f"{PREFIX}{name}" for name in names}

"""Dashboards and alert rules are of one mind with the code and the operations guide."""

import ast
import functools
import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import jsonschema
import promql_parser
import pytest
import yaml

from media_worker.audio.jitter_buffer import JitterCounts
from media_worker.audio.playout import PlayoutCounts
from media_worker.egress.fan_out import FanOutCounters
from media_worker.metrics import PREFIX
from media_worker.transport.counters import EndpointCounters
from tests.soak.objectives import objectives

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "infra/observability"
GUIDE: Final = (ROOT / "infra/operations.md").read_text()
RULES: Final = yaml.safe_load((FOLDER / "workers.rules.yaml").read_text())
ALERTS: Final = [r for g in RULES["groups"] for r in g["rules"] if "alert" in r]
RECORDED: Final = {
    r["record"] for g in RULES["groups"] for r in g["rules"] if "record" in r
}
GRAFANA: Final = json.loads((FOLDER / "workers.grafana.json").read_text())
GOOGLE: Final = json.loads((FOLDER / "google-dashboard.json").read_text())
DURATION: Final = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"}
TEXTS: Final = {"type": "object", "additionalProperties": {"type": "string"}}
RULE: Final = {
    "type": "object",
    "properties": {
        "record": {"type": "string", "pattern": "^[a-zA-Z_:][a-zA-Z0-9_:]*$"},
        "alert": {"type": "string", "minLength": 1},
        "expr": {"type": "string", "minLength": 1},
        "for": DURATION,
        "keep_firing_for": DURATION,
        "labels": TEXTS,
        "annotations": TEXTS,
    },
    "required": ["expr"],
    "oneOf": [{"required": ["record"]}, {"required": ["alert"]}],
    "additionalProperties": False,
}
# As https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/ has it.
RULE_FILE: Final = {
    "type": "object",
    "properties": {
        "groups": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "interval": DURATION,
                    "rules": {"type": "array", "minItems": 1, "items": RULE},
                },
                "required": ["name", "rules"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["groups"],
    "additionalProperties": False,
}


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


def test_the_rules_are_rules() -> None:
    """
    No unknown field and no wrong type; no two of a name.
    """
    jsonschema.validate(RULES, RULE_FILE)
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("where", "expression"), EXPRESSIONS, ids=[where for where, _ in EXPRESSIONS]
)
def test_expressions_ask_for_what_workers_tell(where: str, expression: str) -> None:
    """
    Each is PromQL, and of metrics that the code has or the rules record.
    """
    asked = metrics_of(expression)

    assert asked
    assert asked <= metrics_in_code() | RECORDED


def test_a_wrong_expression_is_seen() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        metrics_of("sum(rate(parley_worker_listeners[5m])")
    deep = "a > 14 * 0.1 * sum(rate(b[5m])) and on (x) (c or histogram_quantile(1, d))"
    assert metrics_of(deep) == {"a", "b", "c", "d"}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_has_a_run_book(alert: dict[str, Any]) -> None:
    """
    Of its own name in the guide, where it leads; and says how much it matters.
    """
    heading = alert["alert"]
    anchor = re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")

    assert f"\n### {heading}\n" in GUIDE
    assert alert["annotations"]["runbook"] == f"infra/operations.md#{anchor}"
    assert alert["annotations"]["summary"]
    assert alert["labels"]["severity"] in ("page", "ticket")


@pytest.mark.parametrize(
    "alert",
    [each for each in ALERTS if "slo" in each["labels"]],
    ids=lambda alert: alert["alert"],
)
def test_alerts_watch_what_is_promised(alert: dict[str, Any]) -> None:
    """
    The promise is one of ours, and a share of it that is spent is that promise's.
    """
    promise = objectives()[alert["labels"]["slo"]]

    if promise.statistic == "share":
        budget = round(1 - (promise.at_least or 0), 6)
        assert set(re.findall(r"\b0\.\d+", alert["expr"])) == {str(budget)}


def test_panels_lie_side_by_side() -> None:
    """
    On both dashboards none covers another, and each shows something.
    """
    grafana = [tuple(p["gridPos"][k] for k in "xywh") for p in GRAFANA["panels"]]
    keys = ("xPos", "yPos", "width", "height")
    tiles = GOOGLE["mosaicLayout"]["tiles"]
    google = [tuple(tile[key] for key in keys) for tile in tiles]
    ids = [panel["id"] for panel in GRAFANA["panels"]]

    for places, columns in ((grafana, 24), (google, GOOGLE["mosaicLayout"]["columns"])):
        cells = [
            (column, row)
            for x, y, width, height in places
            for column in range(x, x + width)
            for row in range(y, y + height)
        ]
        assert len(cells) == len(set(cells))
        assert all(column < columns for column, _ in cells)
    assert len(ids) == len(set(ids))
    for panel in GRAFANA["panels"]:
        assert panel["type"] == "row" or panel["targets"]

"""Dashboards and alert rules are of one mind with the code and the operations guide."""

import re
from typing import Any, Final

import jsonschema
import pytest

from tests.asked_metrics import (
    EXPRESSIONS,
    GOOGLE,
    GRAFANA,
    RECORDED,
    ROOT,
    RULES,
    metrics_in_code,
    metrics_of,
)
from tests.soak.objectives import objectives

GUIDE: Final = (ROOT / "infra/operations.md").read_text()
ALERTS: Final = [r for g in RULES["groups"] for r in g["rules"] if "alert" in r]
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

"""Who is woken by what: alerts, objectives, budgets, the dashboard."""

import json
import re
from pathlib import Path

from tests.cloud.mocked import Cloud

INFRA = Path(__file__).parents[2] / "infra"


def test_each_alert_has_its_run_book(cloud: Cloud) -> None:
    """
    Whoever is woken finds a page by the alert's own name; money is watched, too.
    """
    guide = (INFRA / "operations.md").read_text()
    alerts = [each.inputs for each in cloud.of(":AlertPolicy")]
    books = set(re.findall(r"^### (.+)$", guide, re.MULTILINE))

    assert {each["displayName"] for each in alerts} <= books
    assert all(each["notificationChannels"] for each in alerts)
    (budget,) = cloud.of(":Budget")
    percents = [rule["thresholdPercent"] for rule in budget.inputs["thresholdRules"]]
    assert percents == [0.5, 0.9, 1.0]


def test_the_apis_objectives_are_what_is_promised(cloud: Cloud) -> None:
    """
    Goals, windows and bounds come from the one list; a 503 alone is no failure.
    """
    promises = json.loads((INFRA / "observability" / "slos.json").read_text())
    by_id = {each["id"]: each for each in promises["objectives"]}
    available = cloud.one("/slo:Slo", "api-availability")
    quick = cloud.one("/slo:Slo", "api-write-latency")

    assert available["goal"] == by_id["api-availability"]["at_least"]
    ratio = available["requestBasedSli"]["goodTotalRatio"]
    assert 'response_code!="503"' in ratio["badServiceFilter"]
    bad = ratio["badServiceFilter"]
    assert bad.startswith(ratio["totalServiceFilter"])
    cut = quick["requestBasedSli"]["distributionCut"]
    assert quick["goal"] == 0.95
    assert cut["range"]["max"] == by_id["api-write-latency"]["at_most"] * 1000  # ms
    for objective in (available, quick):
        assert objective["rollingPeriodDays"] == promises["window_days"]
        assert objective["service"] == "parley-api"


def test_budgets_that_burn_are_told(cloud: Cloud) -> None:
    """
    Each over a long window and a short one, of an objective that there is.
    """
    burning = {
        each.name: each.inputs["conditions"]
        for each in cloud.of(":AlertPolicy")
        if each.inputs["combiner"] == "AND"
    }
    filters = [
        condition["conditionThreshold"]["filter"]
        for conditions in burning.values()
        for condition in conditions
    ]

    assert burning.keys() == {
        "The API fails",
        "The API fails at times",
        "The API is slow",
    }
    asked = [
        re.fullmatch(r'select_slo_burn_rate\("(.+)", "(\d+)s"\)', f) for f in filters
    ]
    assert all(asked)
    objectives = {each.name for each in cloud.of("/slo:Slo")}
    assert {match[1] for match in asked if match} == objectives
    windows = [int(match[2]) for match in asked if match]
    assert windows[::2] == [12 * short for short in windows[1::2]]


def test_the_dashboard_shows_what_is_counted(cloud: Cloud) -> None:
    """
    Its queries are of services, queues and counted log lines that there are.
    """
    (dashboard,) = cloud.of(":Dashboard")
    text = json.dumps(json.loads(dashboard.inputs["dashboardJson"])).replace("\\", "")
    counted = {each.name for each in cloud.of("/metric:Metric")}

    assert set(re.findall(r"logging\.googleapis\.com/user/([\w-]+)", text)) == counted
    services = set(re.findall(r'service_name"="(\w+)"', text))
    assert services == {each.name for each in cloud.of(":Function")}

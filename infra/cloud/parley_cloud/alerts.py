"""Alerts and the budget: each alert has a run book in operations.md, by its name."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi_gcp as gcp

from .objectives import objectives
from .settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """
    A metric that stays above a value.

    Args:
        name: Heading of its run book in operations.md.
        metric: A filter of Cloud Monitoring.
        aligner: What is made of the points of a window.
        above: In the metric's own unit; per second where it is a rate.
        for_s: How long it lasts before somebody is told.
        window_s: Longer than the pause between two points that belong together.
    """

    name: str
    metric: str
    aligner: str
    above: float
    for_s: int = 300
    window_s: int = 60


def _service(name: str, metric: str) -> str:
    return f'resource.type="cloud_run_revision" AND {_named(name)} AND {metric}'


def _named(name: str) -> str:
    return f'resource.labels.service_name="{name}"'


_REQUESTS: Final = 'metric.type="run.googleapis.com/request_count"'
_FAILED: Final = f'{_REQUESTS} AND metric.labels.response_code_class="5xx"'
_QUEUE: Final = 'resource.type="cloud_tasks_queue" AND metric.type='
ALERTS: Final = (
    Alert(
        name="The API answers 5xx",
        metric=_service("api", _FAILED),
        aligner="ALIGN_RATE",
        above=0.5,
    ),
    Alert(
        name="Tasks fail",
        metric=_service("tasks", _FAILED),
        aligner="ALIGN_RATE",
        above=0.5,
    ),
    Alert(
        name="The queue grows",
        metric=f'{_QUEUE}"cloudtasks.googleapis.com/queue/depth"',
        aligner="ALIGN_MAX",
        above=5_000,
    ),
    Alert(
        name="Workers are replaced",
        metric='resource.type="cloud_run_revision"'
        ' AND metric.type="logging.googleapis.com/user/parley-relaunches"',
        aligner="ALIGN_RATE",
        above=0.05,
    ),
    Alert(
        name="A Space gets no worker",
        metric='resource.type="cloud_run_revision"'
        ' AND metric.type="logging.googleapis.com/user/parley-launched-in-vain"',
        aligner="ALIGN_RATE",
        above=0,
        for_s=0,
        window_s=600,  # one Space is launched every 2 min by then
    ),
    Alert(
        name="Too few warm workers",
        metric='resource.type="cloud_run_revision"'
        ' AND metric.type="logging.googleapis.com/user/parley-no-capacity"',
        aligner="ALIGN_RATE",
        above=0.05,
    ),
    Alert(
        name="Effects are lost",
        metric='resource.type="cloud_run_revision"'
        ' AND metric.type="logging.googleapis.com/user/parley-effects-lost"',
        aligner="ALIGN_RATE",
        above=0,
        for_s=0,
    ),
)
# Log lines that are counted: name -> filter.
COUNTED: Final = {
    "parley-relaunches": 'jsonPayload.message="worker lost"',
    "parley-launched-in-vain": 'jsonPayload.message="worker lost"'
    " AND jsonPayload.in_vain>=3",
    "parley-no-capacity": 'jsonPayload.problem="no-capacity"',
    "parley-effects-lost": 'jsonPayload.message="task failed for good"',
}
UNREACHABLE: Final = "The API is not reached"


def alerts(settings: Settings) -> None:
    """Tell the operator's address of each alert and of money spent."""
    channel = gcp.monitoring.NotificationChannel(
        "operator",
        project=settings.project,
        type="email",
        labels={"email_address": settings.alert_email},
    )
    for name, found in COUNTED.items():
        gcp.logging.Metric(
            name,
            name=name,
            project=settings.project,
            filter=f'resource.type="cloud_run_revision" AND {found}',
            metric_descriptor=gcp.logging.MetricMetricDescriptorArgs(
                metric_kind="DELTA", value_type="INT64"
            ),
        )
    for alert in ALERTS:
        _policy(settings, channel, alert)
    _reached(settings, channel)
    objectives(settings, channel)
    _budget(settings, channel)


def _policy(settings: Settings, channel: Any, alert: Alert) -> None:
    gcp.monitoring.AlertPolicy(
        alert.name,
        display_name=alert.name,
        project=settings.project,
        combiner="OR",
        notification_channels=[channel.name],
        documentation=_run_book(alert.name),
        conditions=[
            gcp.monitoring.AlertPolicyConditionArgs(
                display_name=alert.name,
                condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
                    filter=alert.metric,
                    comparison="COMPARISON_GT",
                    threshold_value=alert.above,
                    duration=f"{alert.for_s}s",
                    aggregations=[
                        gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                            alignment_period=f"{alert.window_s}s",
                            per_series_aligner=alert.aligner,
                        )
                    ],
                ),
            )
        ],
    )


def _run_book(name: str) -> Any:
    return gcp.monitoring.AlertPolicyDocumentationArgs(
        content=f'infra/operations.md, run book "{name}"', mime_type="text/markdown"
    )


def _reached(settings: Settings, channel: Any) -> None:
    check = gcp.monitoring.UptimeCheckConfig(
        "api",
        display_name="api",
        project=settings.project,
        timeout="10s",
        period="60s",
        http_check=gcp.monitoring.UptimeCheckConfigHttpCheckArgs(
            path="/v1/spaces?state=live&page_size=1", port=443, use_ssl=True
        ),
        monitored_resource=gcp.monitoring.UptimeCheckConfigMonitoredResourceArgs(
            type="uptime_url",
            labels={"project_id": settings.project, "host": settings.domain},
        ),
    )
    gcp.monitoring.AlertPolicy(
        UNREACHABLE,
        display_name=UNREACHABLE,
        project=settings.project,
        combiner="OR",
        notification_channels=[channel.name],
        documentation=_run_book(UNREACHABLE),
        conditions=[
            gcp.monitoring.AlertPolicyConditionArgs(
                display_name=UNREACHABLE,
                condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
                    filter=check.uptime_check_id.apply(_failed_check),
                    comparison="COMPARISON_GT",
                    threshold_value=1,
                    duration="120s",
                    aggregations=[
                        gcp.monitoring.AlertPolicyConditionConditionThresholdAggregationArgs(
                            alignment_period="60s",
                            per_series_aligner="ALIGN_NEXT_OLDER",
                            cross_series_reducer="REDUCE_COUNT_FALSE",
                        )
                    ],
                ),
            )
        ],
    )


def _failed_check(check_id: str) -> str:
    return (
        'resource.type="uptime_url"'
        ' AND metric.type="monitoring.googleapis.com/uptime_check/check_passed"'
        f' AND metric.labels.check_id="{check_id}"'
    )


def _budget(settings: Settings, channel: Any) -> None:
    gcp.billing.Budget(
        "monthly",
        display_name="Parley, each month",
        billing_account=settings.billing_account,
        budget_filter=gcp.billing.BudgetBudgetFilterArgs(
            projects=[f"projects/{settings.project}"]
        ),
        amount=gcp.billing.BudgetAmountArgs(
            specified_amount=gcp.billing.BudgetAmountSpecifiedAmountArgs(
                currency_code="EUR", units=str(settings.monthly_budget_eur)
            )
        ),
        threshold_rules=[
            gcp.billing.BudgetThresholdRuleArgs(threshold_percent=part)
            for part in (0.5, 0.9, 1.0)
        ],
        all_updates_rule=gcp.billing.BudgetAllUpdatesRuleArgs(
            monitoring_notification_channels=[channel.name]
        ),
    )

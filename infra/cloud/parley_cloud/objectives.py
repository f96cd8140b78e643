"""What the API's callers are promised, as objectives whose budgets are watched."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from .settings import Settings

PROMISES: Final = Path(__file__).parents[2] / "observability" / "slos.json"
_CALLS: Final = (
    'resource.type="cloud_run_revision" AND resource.labels.service_name="api"'
    ' AND metric.type="run.googleapis.com/{}"'
)
_COUNT: Final = _CALLS.format("request_count")
# A 503 says when to try again, and clients do: that is how a worker is waited for.
_BAD: Final = (
    f'{_COUNT} AND metric.labels.response_code_class="5xx"'
    ' AND metric.labels.response_code!="503"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Burn:
    """
    A budget that is spent too fast.

    Args:
        name: Heading of its run book in operations.md.
        objective: Whose budget.
        times: As fast as it comes in.
        over_s: For so long, and also for the last twelfth of it: it ends soon after.
    """

    name: str
    objective: str
    times: float
    over_s: int


AVAILABLE: Final = "api-availability"
# Cloud Run does not tell reads from writes: all are held to what is promised of writes.
QUICK: Final = "api-write-latency"
BURNS: Final = (
    # 2 % of 28 days' budget in an hour, and 5 % in six.
    Burn(name="The API fails", objective=AVAILABLE, times=14.4, over_s=3_600),
    Burn(name="The API fails at times", objective=AVAILABLE, times=6, over_s=21_600),
    Burn(name="The API is slow", objective=QUICK, times=6, over_s=21_600),
)


def objectives(settings: Settings, channel: Any) -> None:
    """Declare the objectives, and tell the channel of budgets that burn."""
    promises = json.loads(PROMISES.read_text())
    by_id = {each["id"]: each for each in promises["objectives"]}
    service = gcp.monitoring.CustomService(
        "api", project=settings.project, service_id="parley-api", display_name="api"
    )
    available, quick = by_id[AVAILABLE], by_id[QUICK]
    declared = {
        AVAILABLE: _objective(
            settings,
            service,
            available,
            goal=available["at_least"],
            sli=gcp.monitoring.SloRequestBasedSliArgs(
                good_total_ratio=gcp.monitoring.SloRequestBasedSliGoodTotalRatioArgs(
                    bad_service_filter=_BAD, total_service_filter=_COUNT
                )
            ),
            days=promises["window_days"],
        ),
        QUICK: _objective(
            settings,
            service,
            quick,
            goal=int(quick["statistic"].removeprefix("p")) / 100,
            sli=gcp.monitoring.SloRequestBasedSliArgs(
                distribution_cut=gcp.monitoring.SloRequestBasedSliDistributionCutArgs(
                    distribution_filter=_CALLS.format("request_latencies"),
                    range=gcp.monitoring.SloRequestBasedSliDistributionCutRangeArgs(
                        min=0, max=quick["at_most"] * 1_000
                    ),
                )
            ),
            days=promises["window_days"],
        ),
    }
    for burn in BURNS:
        _policy(settings, channel, burn, declared[burn.objective])


def _objective(
    settings: Settings, service: Any, promise: Any, *, goal: float, sli: Any, days: int
) -> Any:
    return gcp.monitoring.Slo(
        promise["id"],
        project=settings.project,
        service=service.service_id,
        slo_id=promise["id"],
        display_name=promise["promise"],
        goal=goal,
        rolling_period_days=days,
        request_based_sli=sli,
    )


def _policy(settings: Settings, channel: Any, burn: Burn, objective: Any) -> None:
    gcp.monitoring.AlertPolicy(
        burn.name,
        display_name=burn.name,
        project=settings.project,
        combiner="AND",
        notification_channels=[channel.name],
        documentation=gcp.monitoring.AlertPolicyDocumentationArgs(
            content=f'infra/operations.md, run book "{burn.name}"',
            mime_type="text/markdown",
        ),
        conditions=[
            gcp.monitoring.AlertPolicyConditionArgs(
                display_name=f"{burn.times:g} times, for {window_s} s",
                condition_threshold=gcp.monitoring.AlertPolicyConditionConditionThresholdArgs(
                    filter=_burn_rate(objective, window_s),
                    comparison="COMPARISON_GT",
                    threshold_value=burn.times,
                    duration="0s",
                ),
            )
            for window_s in (burn.over_s, burn.over_s // 12)
        ],
    )


def _burn_rate(objective: Any, window_s: int) -> Any:
    return pulumi.Output.concat(
        'select_slo_burn_rate("', objective.name, f'", "{window_s}s")'
    )

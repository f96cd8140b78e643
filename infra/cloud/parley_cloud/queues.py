"""The task queue, with the limits that the embedded one has too."""

import json
from collections.abc import Mapping
from typing import Any, Final

import pulumi_gcp as gcp

from .settings import REPOSITORY, Settings

QUEUES: Final = REPOSITORY / "infra" / "local" / "queues.json"


def queues(settings: Settings) -> Mapping[str, Any]:
    """Return each queue of queues.json by its name."""
    declared = json.loads(QUEUES.read_text())
    return {name: _queue(name, row, settings) for name, row in declared.items()}


def _queue(name: str, row: Mapping[str, Any], settings: Settings) -> Any:
    rates, retries = row["rateLimits"], row["retryConfig"]
    return gcp.cloudtasks.Queue(
        name,
        name=name,
        location=settings.region,
        project=settings.project,
        rate_limits=gcp.cloudtasks.QueueRateLimitsArgs(
            max_dispatches_per_second=rates["maxDispatchesPerSecond"],
            max_concurrent_dispatches=rates["maxConcurrentDispatches"],
        ),
        retry_config=gcp.cloudtasks.QueueRetryConfigArgs(
            max_attempts=retries["maxAttempts"],
            max_retry_duration=retries["maxRetryDuration"],
            min_backoff=retries["minBackoff"],
            max_backoff=retries["maxBackoff"],
            max_doublings=retries["maxDoublings"],
        ),
        stackdriver_logging_config=gcp.cloudtasks.QueueStackdriverLoggingConfigArgs(
            sampling_ratio=0.1
        ),
    )

"""Queue configuration: defaults, limits, and what dispatching reads from it."""

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format

from . import protocol
from .refusals import invalid, unimplemented
from .retry import RetryRule

MAX_RATE_PER_S: Final = 500.0
MAX_CONCURRENT: Final = 5000
_DEFAULT_CONCURRENT: Final = 1000
_DEFAULT_ATTEMPTS: Final = 100
_DEFAULT_MIN_BACKOFF_MS: Final = 100
_DEFAULT_MAX_BACKOFF_S: Final = 3600
_DEFAULT_DOUBLINGS: Final = 16
_UPDATABLE: Final = frozenset(
    {"rate_limits", "retry_config", "stackdriver_logging_config"}
)


def complete(queue: Any) -> Any:
    """
    Return a copy with production's defaults for what is not set.

    Raises:
        Refused: INVALID_ARGUMENT or UNIMPLEMENTED.
    """
    full = protocol.Queue()
    full.CopyFrom(queue)
    if full.HasField("app_engine_routing_override") or full.HasField("http_target"):
        raise unimplemented("queue-level targets are not served by the embedded queue")
    _complete_rates(full.rate_limits)
    complete_retry(full.retry_config)
    if full.state == protocol.Queue.STATE_UNSPECIFIED:
        full.state = protocol.Queue.RUNNING
    return full


def complete_retry(retry: Any) -> None:
    """
    Set the defaults of a RetryConfig in place.

    Raises:
        Refused: INVALID_ARGUMENT.
    """
    if retry.max_attempts < -1:
        raise invalid("RetryConfig.maxAttempts must be -1 or greater than 0")
    retry.max_attempts = retry.max_attempts or _DEFAULT_ATTEMPTS
    if not retry.HasField("min_backoff"):
        retry.min_backoff.FromMilliseconds(_DEFAULT_MIN_BACKOFF_MS)
    if not retry.HasField("max_backoff"):
        retry.max_backoff.FromSeconds(_DEFAULT_MAX_BACKOFF_S)
    if retry.max_doublings < 0:
        raise invalid("RetryConfig.maxDoublings must not be negative")
    retry.max_doublings = retry.max_doublings or _DEFAULT_DOUBLINGS
    least, most = (
        protocol.duration_s(retry.min_backoff),
        protocol.duration_s(retry.max_backoff),
    )
    if not 0 <= least <= most:
        raise invalid("RetryConfig.minBackoff must be between 0 and maxBackoff")
    if protocol.duration_s(retry.max_retry_duration) < 0:
        raise invalid("RetryConfig.maxRetryDuration must not be negative")


def update(current: Any, changes: Any, paths: Iterable[str]) -> Any:
    """
    Return `current` with the masked fields of `changes`; no mask means all of them.

    Raises:
        Refused: INVALID_ARGUMENT: a path is unknown or for output only.
    """
    updated = protocol.Queue()
    updated.CopyFrom(current)
    for path in tuple(paths) or sorted(_UPDATABLE):
        top, _, inner = path.partition(".")
        if top not in _UPDATABLE or inner == "max_burst_size":
            raise invalid(f"Queue.{path} cannot be updated")
        source, target = getattr(changes, top), getattr(updated, top)
        if not inner:
            target.CopyFrom(source)
            continue
        field = target.DESCRIPTOR.fields_by_name.get(inner)
        if field is None:
            raise invalid(f"Queue.{path} is not a field")
        target.ClearField(inner)
        if field.message_type is None:
            setattr(target, inner, getattr(source, inner))
        elif source.HasField(inner):
            getattr(target, inner).CopyFrom(getattr(source, inner))
    return complete(updated)


def retry_rule(retry: Any) -> RetryRule:
    """Return the rule of a completed RetryConfig."""
    return RetryRule(
        max_attempts=retry.max_attempts,
        max_duration_s=protocol.duration_s(retry.max_retry_duration),
        min_backoff_s=protocol.duration_s(retry.min_backoff),
        max_backoff_s=protocol.duration_s(retry.max_backoff),
        max_doublings=retry.max_doublings,
    )


def from_file(path: Path, location: str) -> list[Any]:
    """Return the queues that exist from the start: short name -> Queue, in JSON."""
    queues = []
    for short_name, config in json.loads(path.read_bytes()).items():
        queue = json_format.ParseDict(config, protocol.Queue())
        queue.name = f"{location}/queues/{short_name}"
        queues.append(complete(queue))
    return queues


def _complete_rates(rates: Any) -> None:
    if not 0 <= rates.max_dispatches_per_second <= MAX_RATE_PER_S:
        raise invalid(
            "RateLimits.maxDispatchesPerSecond must be greater than 0 and at most 500"
        )
    if not 0 <= rates.max_concurrent_dispatches <= MAX_CONCURRENT:
        raise invalid("RateLimits.maxConcurrentDispatches must be between 1 and 5000")
    rates.max_dispatches_per_second = rates.max_dispatches_per_second or MAX_RATE_PER_S
    rates.max_concurrent_dispatches = (
        rates.max_concurrent_dispatches or _DEFAULT_CONCURRENT
    )
    # Output only, chosen by the service: production gives 100 to a queue of 500/s.
    rates.max_burst_size = max(1, math.ceil(rates.max_dispatches_per_second / 5))

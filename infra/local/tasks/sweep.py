"""The periodic sweep: production's Cloud Scheduler, in the embedded queue itself."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import grpc

from . import protocol
from .dispatcher import wall_clock_us
from .refusals import Refused
from .service import TasksService

logger = logging.getLogger(__name__)

_PERIOD_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """
    A POST to `url` once a minute, as a task named for its minute.

    Args:
        queue: Name of the queue that carries it.
        service_account: E-mail in the task's OIDC token.
    """

    queue: str
    url: str
    audience: str
    service_account: str

    async def run(
        self, service: TasksService, now_us: Callable[[], int] = wall_clock_us
    ) -> None:
        """Create a task each minute, the first at once, until cancelled."""
        while True:
            now_s = now_us() / 1e6
            minute = int(now_s // _PERIOD_S)
            try:
                await service.CreateTask(self._request(minute))
            except Refused as refused:
                # A restarted server asks again within the minute.
                if refused.code is not grpc.StatusCode.ALREADY_EXISTS:
                    logger.warning("sweep not enqueued: %s", refused.detail)
            await asyncio.sleep((minute + 1) * _PERIOD_S - now_s)

    def _request(self, minute: int) -> Any:
        request_class, _ = protocol.METHODS["CreateTask"]
        request = request_class(parent=self.queue)
        request.task.name = f"{self.queue}/tasks/sweep-{minute}"
        http = request.task.http_request
        http.url = self.url
        http.http_method = protocol.HttpMethod.POST
        http.headers["Content-Type"] = "application/json"
        http.body = b"{}"
        http.oidc_token.service_account_email = self.service_account
        http.oidc_token.audience = self.audience
        # Retried for less than a minute: then the next one does the same work.
        retry = request.task.retry_config
        retry.max_attempts = -1
        retry.max_retry_duration.FromSeconds(_PERIOD_S - 10)
        retry.min_backoff.FromSeconds(1)
        retry.max_backoff.FromSeconds(5)
        return request

"""Workloads as processes of the embedded stack's supervisor."""

from datetime import datetime
from typing import Any, Final

import requests

from spaces_contract.trace_context import carried

from ...domain.errors import DependencyUnavailable
from ...service.ports import LaunchedWorkload, LaunchRefused, Workload, WorkloadKind

TIMEOUT_S: Final = 10.0  # starting a process on a busy laptop takes a while


class ProcessLauncher:
    """
    `Launcher` that asks the supervisor over HTTP.

    Args:
        url: Of the supervisor, on loopback.
        token: Shown as a bearer token.
    """

    def __init__(self, url: str, *, token: str) -> None:
        self._url = url
        self._token = token

    def launch(self, workload: Workload) -> str:
        """POST the workload; see `Launcher`."""
        answer = self._request(
            "POST",
            "/workloads",
            {
                "kind": workload.kind.value,
                "key": workload.key,
                "epoch": workload.epoch,
                "index": workload.index,
            },
        )
        if answer.status_code not in (200, 201):
            raise LaunchRefused(f"the supervisor answered {answer.status_code}")
        return str(answer.json()["ref"])

    def terminate(self, ref: str) -> None:
        """DELETE the workload; see `Launcher`."""
        answer = self._request("DELETE", f"/workloads/{ref}")
        if answer.status_code not in (200, 204, 404):
            raise LaunchRefused(f"the supervisor answered {answer.status_code}")

    def workloads(self) -> list[LaunchedWorkload]:
        """GET what runs; see `Launcher`."""
        answer = self._request("GET", "/workloads")
        if answer.status_code != 200:
            raise LaunchRefused(f"the supervisor answered {answer.status_code}")
        return [
            LaunchedWorkload(
                ref=each["ref"],
                workload=Workload(
                    kind=WorkloadKind(each["kind"]),
                    key=each["key"],
                    epoch=each["epoch"],
                    index=each["index"],
                ),
                launched_at=datetime.fromisoformat(each["started_at"]),
            )
            for each in answer.json()["workloads"]
            if each["state"] == "running"
        ]

    def _request(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False  # loopback never goes through a proxy
            try:
                answer = session.request(
                    method,
                    self._url + path,
                    json=body,
                    headers={"Authorization": f"Bearer {self._token}", **carried()},
                    timeout=TIMEOUT_S,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                raise DependencyUnavailable from error
        if answer.status_code >= 500 or answer.status_code == 429:
            raise DependencyUnavailable
        return answer

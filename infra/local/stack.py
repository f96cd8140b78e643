"""What the parts of one stack know of each other: addresses and environment."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import ports
from .containers import Containers
from .folder import DataFolder

PROJECT_ID: Final = "demo-parley"
QUEUE: Final = f"projects/{PROJECT_ID}/locations/local/queues/parley"
TASKS_SERVICE_ACCOUNT: Final = f"tasks@{PROJECT_ID}.iam.gserviceaccount.com"
READY_PATH: Final = "/local/ready"  # of the gateway and of the functions server
REPOSITORY: Final = Path(__file__).resolve().parents[2]
FUNCTIONS: Final = REPOSITORY / "functions"
# Never inherited: another shell's cloud, emulators or credentials must not leak in.
_FOREIGN_PREFIXES: Final = (
    "PARLEY_",
    "GOOGLE_",
    "FIREBASE_",
    "FIRESTORE_",
    "GUNICORN_",
)
# Of an operator, and meant for this stack: they can name nothing but that.
_OPERATORS_NAMES: Final = ("PARLEY_ADMIN_KEYS", "PARLEY_RELAYS", "PARLEY_WEBHOOKS")
_FOREIGN_NAMES: Final = (
    "PYTHONASYNCIODEBUG",
    "CLOUDSDK_CONFIG",
    "GCLOUD_PROJECT",
    "TRACEPARENT",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """
    Addresses of one running stack, chosen before its first process starts.

    Args:
        folder: The data folder.
        public_url: What clients are told: loopback, or TLS on `--host`.
        media_address: The IP address that workers bind and announce for UDP.
        port: The public port; loopback serves it whether or not there is a host.
        debug: Whether the children run asyncio in debug mode.
        twice: Share of tasks that are delivered twice.
        containers: Where workers run; None is as processes of the supervisor.
    """

    folder: DataFolder
    public_url: str
    media_address: str
    port: int
    firestore_port: int
    tasks_port: int
    functions_port: int
    launcher_port: int
    debug: bool = False
    twice: float = 0.0
    containers: Containers | None = None

    @property
    def loopback_url(self) -> str:
        """Where the stack's own processes reach the gateway, in plain HTTP."""
        return f"http://{ports.LOOPBACK}:{self.port}"

    @property
    def tasks_audience(self) -> str:
        """Audience of the OIDC tokens that come with tasks."""
        return f"{self.loopback_url}/tasks"

    @property
    def firestore_address(self) -> str:
        """The one address that the embedded Firestore listens on."""
        # No container reaches loopback, and none of its data is worth another door.
        return ports.LOOPBACK if self.containers is None else self.media_address

    @property
    def firestore_host(self) -> str:
        """host:port of the embedded Firestore."""
        return f"{ports.in_url(self.firestore_address)}:{self.firestore_port}"

    def base_environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Return what every child gets: the machine's environment, nothing foreign."""
        kept = {
            name: value
            for name, value in inherited.items()
            if name not in _FOREIGN_NAMES and not name.startswith(_FOREIGN_PREFIXES)
        }
        direct = self._without_proxy(inherited)
        return kept | {
            "PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(FUNCTIONS))),
            "PYTHONUNBUFFERED": "1",
            "NO_PROXY": direct,
            "no_proxy": direct,
            "GRPC_VERBOSITY": "ERROR",
            **({"PYTHONASYNCIODEBUG": "1"} if self.debug else {}),
        }

    @staticmethod
    def operators_environment(inherited: Mapping[str, str]) -> dict[str, str]:
        """Return what lets an operator try keys, webhooks and relays."""
        return {n: inherited[n] for n in _OPERATORS_NAMES if n in inherited}

    def client_environment(self) -> dict[str, str]:
        """Return what lets Google's client libraries find the embedded services."""
        return {
            "GOOGLE_CLOUD_PROJECT": PROJECT_ID,
            "FIRESTORE_EMULATOR_HOST": self.firestore_host,
            "PARLEY_PROJECT_ID": PROJECT_ID,
        }

    def functions_environment(
        self, *, grant_private_key: str, launcher_token: str
    ) -> dict[str, str]:
        """Return the whole configuration of the functions."""
        local = f"{self.loopback_url}/local"
        return self.client_environment() | {
            "PARLEY_ENVIRONMENT": "local",
            "PARLEY_PUBLIC_URL": self.public_url,
            "PARLEY_LIVE_EDGE_URL": self.folder.objects_url,
            "PARLEY_WEB_SHELL_URL": f"{self.loopback_url}/index.html",
            "PARLEY_CORS_ORIGINS": "*",
            "PARLEY_GRANT_PRIVATE_KEY": grant_private_key,
            "PARLEY_TASKS_QUEUE": QUEUE,
            "PARLEY_TASKS_TARGET_URL": self.loopback_url,
            "PARLEY_TASKS_SERVICE_ACCOUNT": TASKS_SERVICE_ACCOUNT,
            "PARLEY_TASKS_AUDIENCE": self.tasks_audience,
            "PARLEY_LAUNCHER": "process",
            "PARLEY_LOCAL_TASKS_HOST": f"{ports.LOOPBACK}:{self.tasks_port}",
            "PARLEY_LOCAL_ID_TOKEN_CERTS_URL": f"{local}/id-token-certs",
            "PARLEY_LOCAL_OIDC_CERTS_URL": f"{local}/oidc-certs",
            "PARLEY_LOCAL_FCM_URL": f"{local}/fcm",
            "PARLEY_LOCAL_LAUNCHER_URL": f"http://{ports.LOOPBACK}:{self.launcher_port}",
            "PARLEY_LOCAL_LAUNCHER_TOKEN": launcher_token,
        }

    def worker_environment(
        self,
        *,
        space_id: str,
        epoch: int,
        grant_public_key: str,
        udp_ports: Sequence[int],
    ) -> dict[str, str]:
        """
        Return the whole configuration of one room worker.

        Args:
            udp_ports: The room's, and one for each egress process.
        """
        # Bound to the announced address, not to all: a reply then leaves from the
        # very address that the client's ICE agent checks.
        address = ports.in_url(self.media_address)
        endpoints = [f"{address}:{port}" for port in udp_ports]
        return self.client_environment() | {
            "PARLEY_SPACE_ID": space_id,
            "PARLEY_EPOCH": str(epoch),
            "PARLEY_GRANT_PUBLIC_KEY": grant_public_key,
            "PARLEY_CONTROL_BIND": f"{ports.LOOPBACK}:0",
            "PARLEY_UDP_ENDPOINTS": json.dumps(
                [{"bind": each, "announced": each} for each in endpoints]
            ),
            "PARLEY_LIVE_EDGE_URL": self.folder.objects_url,
        }

    def _without_proxy(self, inherited: Mapping[str, str]) -> str:
        given = inherited.get("no_proxy") or inherited.get("NO_PROXY") or ""
        own = [ports.LOOPBACK, "localhost", self.media_address]
        return ",".join(dict.fromkeys([*own, *filter(None, given.split(","))]))

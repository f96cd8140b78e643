"""The two functions of functions/main.py, of the second generation."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import pulumi
import pulumi_gcp as gcp

from .network import Network
from .permissions import Account, Bucket, Secret
from .settings import Settings
from .sources import archived, sources

RUNTIME: Final = "python312"
# In the runtime's image; the cluster's DNS name has a certificate that all know.
CA_FILE: Final = "/etc/ssl/certs/ca-certificates.crt"
SECRETS: Final = MappingProxyType(
    {
        "PARLEY_GRANT_PRIVATE_KEY": Secret.GRANT_KEY,
        "PARLEY_PROOF_PRIVATE_KEY": Secret.PROOF_KEY,
        "PARLEY_ADMIN_KEYS": Secret.ADMIN_KEYS,
        "PARLEY_WEBHOOKS": Secret.WEBHOOKS,
        "PARLEY_TURN_SECRET": Secret.TURN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """
    What functions need of the rest.

    Args:
        indexes: What has to be there before the first query of this release.
    """

    network: Network
    accounts: Mapping[Account, Any]
    secrets: Mapping[str, Any]
    buckets: Mapping[str, Any]
    indexes: Sequence[Any]
    cluster_url: Any
    turn_addresses: Sequence[Any]


def functions(settings: Settings, parts: Parts) -> Mapping[str, Any]:
    """Return `api` and `tasks`; they share one source, and differ in who may call."""
    files = sources()
    archive = gcp.storage.BucketObject(
        "functions-source",
        name=archived(files),
        bucket=parts.buckets[Bucket.SOURCE].name,
        source=pulumi.AssetArchive(
            {name: pulumi.FileAsset(str(path)) for name, path in files.items()}
        ),
    )
    return {
        # From the load balancer alone: at the function's own address anybody could
        # write the X-Forwarded-For that floods are counted by.
        "api": _function("api", "ALLOW_INTERNAL_AND_GCLB", settings, parts, archive),
        "tasks": _function("tasks", "ALLOW_INTERNAL_ONLY", settings, parts, archive),
    }


def environment(settings: Settings, parts: Parts) -> dict[str, Any]:
    """Return what both functions read, but for secrets."""
    tasks_url = tasks_address(settings)
    place = f"projects/{settings.project}/locations/{settings.region}"
    queue = f"parley-{Account.QUEUE}@{settings.project}.iam.gserviceaccount.com"
    return {
        "PARLEY_ENVIRONMENT": "production",
        "PARLEY_PROJECT_ID": settings.project,
        "PARLEY_PUBLIC_URL": f"https://{settings.domain}",
        "PARLEY_LIVE_URL": f"https://{settings.live_domain}",
        # The load balancer writes two: the client's address, then its own.
        "PARLEY_TRUSTED_PROXIES": "2",
        "PARLEY_CORS_ORIGINS": f"https://{settings.domain}",
        "PARLEY_TASKS_QUEUE": f"{place}/queues/parley",
        "PARLEY_TASKS_TARGET_URL": tasks_url,
        "PARLEY_TASKS_AUDIENCE": tasks_url,
        "PARLEY_TASKS_SERVICE_ACCOUNT": queue,
        "PARLEY_LAUNCHER": "agones",
        "PARLEY_AGONES_NAMESPACE": "parley",
        "PARLEY_AGONES_FLEET": "workers",
        "PARLEY_AGONES_RENDER_FLEET": "renders",
        "PARLEY_KUBERNETES_API_URL": parts.cluster_url,
        "PARLEY_KUBERNETES_CA_FILE": CA_FILE,
        "PARLEY_TURN_URLS": pulumi.Output.all(*parts.turn_addresses).apply(_turn_urls),
        "PARLEY_LIVE_EDGE_URL": f"gs://{settings.bucket(Bucket.LIVE)}",
        "PARLEY_RECORDINGS_URL": f"gs://{settings.bucket(Bucket.RECORDINGS)}",
        "PARLEY_RECORDING_KEYS_URL": f"gs://{settings.bucket(Bucket.RECORDING_KEYS)}",
    }


def _turn_urls(addresses: Sequence[str]) -> str:
    return json.dumps(
        [
            f"turn:{address}:3478?transport={each}"
            for address in addresses
            for each in ("udp", "tcp")
        ]
    )


def tasks_address(settings: Settings) -> str:
    """Return where `tasks` is called: known before there is a function."""
    return f"https://tasks-{settings.project_number}.{settings.region}.run.app"


def _function(
    name: str, ingress: str, settings: Settings, parts: Parts, archive: Any
) -> Any:
    return gcp.cloudfunctionsv2.Function(
        name,
        name=name,
        project=settings.project,
        location=settings.region,
        build_config=gcp.cloudfunctionsv2.FunctionBuildConfigArgs(
            runtime=RUNTIME,
            entry_point=name,
            service_account=parts.accounts[Account.BUILD].name,
            source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceArgs(
                storage_source=gcp.cloudfunctionsv2.FunctionBuildConfigSourceStorageSourceArgs(
                    bucket=archive.bucket, object=archive.name
                )
            ),
        ),
        service_config=gcp.cloudfunctionsv2.FunctionServiceConfigArgs(
            service_account_email=parts.accounts[Account(name)].email,
            available_memory="512M",
            available_cpu="1",
            timeout_seconds=60,
            max_instance_request_concurrency=16,
            min_instance_count=1,
            max_instance_count=100,
            ingress_settings=ingress,
            environment_variables=environment(settings, parts),
            secret_environment_variables=_secrets(settings, parts),
            # Workers' control addresses are private: only their range goes this way.
            direct_vpc_egress="VPC_EGRESS_PRIVATE_RANGES_ONLY",
            direct_vpc_network_interfaces=[
                gcp.cloudfunctionsv2.FunctionServiceConfigDirectVpcNetworkInterfaceArgs(
                    network=parts.network.network.id,
                    subnetwork=parts.network.functions.id,
                )
            ],
        ),
        opts=pulumi.ResourceOptions(depends_on=parts.indexes),
    )


def _secrets(settings: Settings, parts: Parts) -> list[Any]:
    return [
        gcp.cloudfunctionsv2.FunctionServiceConfigSecretEnvironmentVariableArgs(
            key=key,
            project_id=settings.project,
            secret=parts.secrets[secret].secret_id,
            version="latest",
        )
        for key, secret in SECRETS.items()
    ]


def sweep(settings: Settings, accounts: Mapping[Account, Any]) -> None:
    """Call the sweep, which finds what tasks have lost, once a minute."""
    tasks_url = tasks_address(settings)
    gcp.cloudscheduler.Job(
        "sweep",
        project=settings.project,
        region=settings.region,
        schedule="* * * * *",
        attempt_deadline="60s",
        http_target=gcp.cloudscheduler.JobHttpTargetArgs(
            uri=f"{tasks_url}/tasks/sweep",
            http_method="POST",
            body="e30=",  # {}
            headers={"Content-Type": "application/json"},
            oidc_token=gcp.cloudscheduler.JobHttpTargetOidcTokenArgs(
                service_account_email=accounts[Account.QUEUE].email,
                audience=tasks_url,
            ),
        ),
    )

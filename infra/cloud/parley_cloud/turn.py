"""coturn, for clients whose network lets no UDP through."""

from typing import Any, Final

import pulumi_gcp as gcp  # type: ignore[import-not-found]  # installed by `make cloud`

from .network import TURN_TAG, Network
from .permissions import Secret
from .settings import REPOSITORY, Settings

STARTUP: Final = REPOSITORY / "infra" / "cloud" / "coturn.sh"
MACHINES: Final = 2


def turn_address(settings: Settings) -> Any:
    """Return the address at which clients reach coturn."""
    return gcp.compute.Address(
        "turn", project=settings.project, region=settings.region
    ).address


def turn(settings: Settings, found: Network, account: Any, address: Any) -> None:
    """Run coturn at `address`, on machines that are replaced when they are silent."""
    group = _machines(settings, found, account)
    alive = gcp.compute.RegionHealthCheck(
        "turn",
        project=settings.project,
        region=settings.region,
        tcp_health_check=gcp.compute.RegionHealthCheckTcpHealthCheckArgs(port=3478),
    )
    # Passes packets through: what is relayed leaves by the machine's own address.
    service = gcp.compute.RegionBackendService(
        "turn",
        project=settings.project,
        region=settings.region,
        protocol="UNSPECIFIED",
        load_balancing_scheme="EXTERNAL",
        session_affinity="CLIENT_IP",
        health_checks=alive.id,
        backends=[
            gcp.compute.RegionBackendServiceBackendArgs(
                group=group.instance_group, balancing_mode="CONNECTION"
            )
        ],
    )
    gcp.compute.ForwardingRule(
        "turn",
        project=settings.project,
        region=settings.region,
        ip_address=address,
        ip_protocol="L3_DEFAULT",
        all_ports=True,
        load_balancing_scheme="EXTERNAL",
        backend_service=service.id,
    )


def _machines(settings: Settings, found: Network, account: Any) -> Any:
    template = gcp.compute.InstanceTemplate(
        "turn",
        project=settings.project,
        machine_type="e2-small",
        tags=[TURN_TAG],
        disks=[
            gcp.compute.InstanceTemplateDiskArgs(
                source_image="debian-cloud/debian-12", boot=True, disk_size_gb=10
            )
        ],
        network_interfaces=[
            gcp.compute.InstanceTemplateNetworkInterfaceArgs(
                subnetwork=found.nodes.id,
                access_configs=[
                    gcp.compute.InstanceTemplateNetworkInterfaceAccessConfigArgs()
                ],
            )
        ],
        service_account=gcp.compute.InstanceTemplateServiceAccountArgs(
            email=account.email, scopes=["cloud-platform"]
        ),
        shielded_instance_config=gcp.compute.InstanceTemplateShieldedInstanceConfigArgs(
            enable_secure_boot=True
        ),
        metadata={
            "parley-turn-realm": settings.domain,
            "parley-turn-secret": f"parley-{Secret.TURN}",
            "block-project-ssh-keys": "true",
        },
        metadata_startup_script=STARTUP.read_text(),
    )
    alive = gcp.compute.HealthCheck(
        "turn",
        project=settings.project,
        tcp_health_check=gcp.compute.HealthCheckTcpHealthCheckArgs(port=3478),
    )
    return gcp.compute.RegionInstanceGroupManager(
        "turn",
        project=settings.project,
        region=settings.region,
        base_instance_name="parley-turn",
        target_size=MACHINES,
        versions=[
            gcp.compute.RegionInstanceGroupManagerVersionArgs(
                instance_template=template.self_link_unique
            )
        ],
        auto_healing_policies=gcp.compute.RegionInstanceGroupManagerAutoHealingPoliciesArgs(
            health_check=alive.id, initial_delay_sec=180
        ),
    )

"""coturn, for clients whose network lets no UDP through."""

from typing import Any, Final

import pulumi_gcp as gcp  # type: ignore[import-not-found]  # installed by `make cloud`

from .network import TURN_TAG, Network
from .permissions import Secret
from .settings import REPOSITORY, Settings

STARTUP: Final = REPOSITORY / "infra" / "cloud" / "coturn.sh"
MACHINES: Final = 2


def turn(settings: Settings, found: Network, account: Any) -> None:
    """Run coturn on machines that are replaced when they do not answer."""
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
    gcp.compute.RegionInstanceGroupManager(
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

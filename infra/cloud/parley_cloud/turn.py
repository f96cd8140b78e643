"""coturn, for clients whose network lets no UDP through."""

from collections.abc import Sequence
from typing import Any, Final

import pulumi_gcp as gcp

from .network import TURN_TAG, Network
from .permissions import Secret
from .settings import REPOSITORY, Settings

STARTUP: Final = REPOSITORY / "infra" / "cloud" / "coturn.sh"
# A zone each.  Clients try both, so that neither needs a balancer before it, behind
# which coturn would not know the address that it is reached at.
ZONES: Final = ("b", "c")


def turn_addresses(settings: Settings) -> Sequence[Any]:
    """Return the addresses at which clients reach coturn."""
    return [
        gcp.compute.Address(
            f"turn-{zone}", project=settings.project, region=settings.region
        ).address
        for zone in ZONES
    ]


def turn(
    settings: Settings, found: Network, account: Any, addresses: Sequence[Any]
) -> None:
    """Run coturn at each address."""
    for zone, address in zip(ZONES, addresses, strict=True):
        _machine(settings, found, account, zone, address)


def _machine(
    settings: Settings, found: Network, account: Any, zone: str, address: Any
) -> None:
    gcp.compute.Instance(
        f"turn-{zone}",
        project=settings.project,
        zone=f"{settings.region}-{zone}",
        machine_type="e2-small",
        tags=[TURN_TAG],
        allow_stopping_for_update=True,
        boot_disk=gcp.compute.InstanceBootDiskArgs(
            initialize_params=gcp.compute.InstanceBootDiskInitializeParamsArgs(
                image="debian-cloud/debian-12", size=10
            )
        ),
        network_interfaces=[
            gcp.compute.InstanceNetworkInterfaceArgs(
                subnetwork=found.nodes.id,
                access_configs=[
                    gcp.compute.InstanceNetworkInterfaceAccessConfigArgs(nat_ip=address)
                ],
            )
        ],
        service_account=gcp.compute.InstanceServiceAccountArgs(
            email=account.email, scopes=["cloud-platform"]
        ),
        shielded_instance_config=gcp.compute.InstanceShieldedInstanceConfigArgs(
            enable_secure_boot=True
        ),
        metadata={
            "parley-turn-realm": settings.domain,
            "parley-turn-secret": f"parley-{Secret.TURN}",
            "block-project-ssh-keys": "true",
        },
        metadata_startup_script=STARTUP.read_text(),
    )

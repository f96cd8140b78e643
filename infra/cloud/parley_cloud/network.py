"""The private network: functions reach workers in it, and clients only what is open."""

from dataclasses import dataclass
from typing import Any, Final

import pulumi_gcp as gcp

from .settings import Settings

NODE_TAG: Final = "parley-node"
TURN_TAG: Final = "parley-turn"
FUNCTIONS_RANGE: Final = "10.8.0.0/24"
NODES_RANGE: Final = "10.10.0.0/20"
PODS_RANGE: Final = "10.32.0.0/14"
SERVICES_RANGE: Final = "10.40.0.0/20"
EVERYWHERE: Final = "0.0.0.0/0"
# The host ports that Agones hands out on Autopilot.
MEDIA_PORTS: Final = "7000-8000"
CONTROL_PORT: Final = "8080"
TURN_PORTS: Final = ("3478", "49152-65535")


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One network with a subnet for functions and one for everything else."""

    network: Any
    functions: Any
    nodes: Any


def network(settings: Settings) -> Network:
    """Return the network, with the few ways into it."""
    made = gcp.compute.Network(
        "parley", project=settings.project, auto_create_subnetworks=False
    )
    found = Network(
        network=made,
        functions=_subnet(settings, made, "functions", FUNCTIONS_RANGE),
        nodes=_subnet(
            settings,
            made,
            "nodes",
            NODES_RANGE,
            {"pods": PODS_RANGE, "services": SERVICES_RANGE},
        ),
    )
    _ways_in(settings, made)
    _way_out(settings, made)
    return found


def _subnet(
    settings: Settings,
    made: Any,
    name: str,
    addresses: str,
    secondary: dict[str, str] | None = None,
) -> Any:
    return gcp.compute.Subnetwork(
        name,
        project=settings.project,
        region=settings.region,
        network=made.id,
        ip_cidr_range=addresses,
        private_ip_google_access=True,
        secondary_ip_ranges=[
            gcp.compute.SubnetworkSecondaryIpRangeArgs(
                range_name=each, ip_cidr_range=range_
            )
            for each, range_ in (secondary or {}).items()
        ],
    )


def _ways_in(settings: Settings, made: Any) -> None:
    rows = (
        # Who sends media proves itself by ICE and DTLS.
        ("media", EVERYWHERE, NODE_TAG, {"udp": [MEDIA_PORTS]}),
        # Signalling: what the functions signed, from where the functions are.
        ("control", FUNCTIONS_RANGE, NODE_TAG, {"tcp": [CONTROL_PORT]}),
        (
            "turn",
            EVERYWHERE,
            TURN_TAG,
            {"udp": list(TURN_PORTS), "tcp": [TURN_PORTS[0]]},
        ),
    )
    for name, source, tag, ports in rows:
        gcp.compute.Firewall(
            name,
            project=settings.project,
            network=made.id,
            direction="INGRESS",
            source_ranges=[source],
            target_tags=[tag],
            allows=[
                gcp.compute.FirewallAllowArgs(protocol=protocol, ports=allowed)
                for protocol, allowed in ports.items()
            ],
        )


def _way_out(settings: Settings, made: Any) -> None:
    router = gcp.compute.Router(
        "parley", project=settings.project, region=settings.region, network=made.id
    )
    gcp.compute.RouterNat(
        "parley",
        project=settings.project,
        region=settings.region,
        router=router.name,
        nat_ip_allocate_option="AUTO_ONLY",
        source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
    )

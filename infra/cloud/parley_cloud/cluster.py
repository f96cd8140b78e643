"""The cluster that places workers; Agones and the fleets come by `kubectl`."""

from typing import Any

import pulumi_gcp as gcp

from .network import NODE_TAG, Network
from .settings import Settings


def cluster(settings: Settings, found: Network) -> Any:
    """
    Return an Autopilot cluster without a public address of its control plane.

    It is reached by its name in Google's DNS, where IAM asks who is calling.
    """
    return gcp.container.Cluster(
        "parley",
        name="parley",
        project=settings.project,
        location=settings.region,
        enable_autopilot=True,
        deletion_protection=True,
        network=found.network.id,
        subnetwork=found.nodes.id,
        ip_allocation_policy=gcp.container.ClusterIpAllocationPolicyArgs(
            cluster_secondary_range_name="pods",
            services_secondary_range_name="services",
        ),
        release_channel=gcp.container.ClusterReleaseChannelArgs(channel="REGULAR"),
        control_plane_endpoints_config=gcp.container.ClusterControlPlaneEndpointsConfigArgs(
            dns_endpoint_config=gcp.container.ClusterControlPlaneEndpointsConfigDnsEndpointConfigArgs(
                allow_external_traffic=True
            ),
            ip_endpoints_config=gcp.container.ClusterControlPlaneEndpointsConfigIpEndpointsConfigArgs(
                enabled=False
            ),
        ),
        node_pool_auto_config=gcp.container.ClusterNodePoolAutoConfigArgs(
            network_tags=gcp.container.ClusterNodePoolAutoConfigNetworkTagsArgs(
                tags=[NODE_TAG]
            )
        ),
    )


def api_url(made: Any) -> Any:
    """Return the URL of the cluster's API, as an output."""
    return made.control_plane_endpoints_config.apply(
        lambda found: f"https://{found.dns_endpoint_config.endpoint}"
    )

"""The CDN before the live edge: it carries the crowd (DESIGN.md 9)."""

from typing import Any

import pulumi_gcp as gcp

from .settings import Settings


def live_edge(settings: Settings, bucket: Any) -> Any:
    """Return the address to which the live domain's DNS entry has to point."""
    backend = gcp.compute.BackendBucket(
        "live",
        project=settings.project,
        bucket_name=bucket.name,
        enable_cdn=True,
        cdn_policy=gcp.compute.BackendBucketCdnPolicyArgs(
            # What the worker says: a segment lives as long as its window, no longer.
            cache_mode="USE_ORIGIN_HEADERS",
            serve_while_stale=0,
            request_coalescing=True,
        ),
    )
    routes = gcp.compute.URLMap(
        "live", project=settings.project, default_service=backend.id
    )
    certificate = gcp.compute.ManagedSslCertificate(
        "live",
        project=settings.project,
        managed=gcp.compute.ManagedSslCertificateManagedArgs(
            domains=[settings.live_domain]
        ),
    )
    policy = gcp.compute.SSLPolicy(
        "live", project=settings.project, min_tls_version="TLS_1_2", profile="MODERN"
    )
    proxy = gcp.compute.TargetHttpsProxy(
        "live",
        project=settings.project,
        url_map=routes.id,
        ssl_certificates=[certificate.id],
        ssl_policy=policy.id,
    )
    address = gcp.compute.GlobalAddress("live", project=settings.project)
    gcp.compute.GlobalForwardingRule(
        "live",
        project=settings.project,
        ip_address=address.address,
        port_range="443",
        target=proxy.id,
        load_balancing_scheme="EXTERNAL_MANAGED",
    )
    return address.address

"""
The load balancer before everything that clients reach by HTTP, and its CDN.

One way in for the API: the function takes no request but the balancer's, so nobody else
writes the X-Forwarded-For by which floods are counted.
"""

import json
from typing import Any, Final

import pulumi_gcp as gcp

from .settings import REPOSITORY, Settings

SCHEME: Final = "EXTERNAL_MANAGED"
# As many as one instance of the functions lets an address have (rate_limits.py),
# counted before all of them.
REQUESTS_PER_MINUTE: Final = 6_000
LAST: Final = 2_147_483_647  # the priority of a policy's default rule


def edge(settings: Settings, live: Any, api: Any) -> Any:
    """
    Return the address to which the DNS entries of both domains have to point.

    Args:
        live: The live edge's bucket.
        api: The function that clients call.
    """
    routes = _routes(
        settings,
        live=_live(settings, live),
        api=_api(settings, api),
        hosting=_hosting(settings),
    )
    return _listener(settings, routes)


def api_paths() -> list[str]:
    """Return what firebase.json gives to the function: the embedded gateway's list."""
    rewrites = json.loads((REPOSITORY / "firebase.json").read_text())["hosting"][
        "rewrites"
    ]
    return [each["source"] for each in rewrites if "run" in each]


def _routes(settings: Settings, *, live: Any, api: Any, hosting: Any) -> Any:
    return gcp.compute.URLMap(
        "edge",
        project=settings.project,
        default_service=hosting.id,
        host_rules=[
            gcp.compute.URLMapHostRuleArgs(
                hosts=[settings.live_domain], path_matcher="live"
            ),
            gcp.compute.URLMapHostRuleArgs(
                hosts=[settings.domain], path_matcher="parley"
            ),
        ],
        path_matchers=[
            gcp.compute.URLMapPathMatcherArgs(name="live", default_service=live.id),
            gcp.compute.URLMapPathMatcherArgs(
                name="parley",
                default_service=hosting.id,
                route_rules=[
                    gcp.compute.URLMapPathMatcherRouteRuleArgs(
                        priority=priority, service=api.id, match_rules=[_match(path)]
                    )
                    for priority, path in enumerate(api_paths(), start=1)
                ],
            ),
        ],
    )


def _match(path: str) -> Any:
    """Return the rule for a pattern of Hosting's; stars mean the same to both."""
    rule = gcp.compute.URLMapPathMatcherRouteRuleMatchRuleArgs
    if "*" in path:
        return rule(path_template_match=path)
    return rule(full_path_match=path)


def _live(settings: Settings, bucket: Any) -> Any:
    """Return the CDN before the live edge: it carries the crowd."""
    return gcp.compute.BackendBucket(
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


def _api(settings: Settings, function: Any) -> Any:
    group = gcp.compute.RegionNetworkEndpointGroup(
        "api",
        project=settings.project,
        region=settings.region,
        network_endpoint_type="SERVERLESS",
        cloud_run=gcp.compute.RegionNetworkEndpointGroupCloudRunArgs(
            service=function.name
        ),
    )
    return gcp.compute.BackendService(
        "api",
        project=settings.project,
        protocol="HTTPS",
        load_balancing_scheme=SCHEME,
        backends=[gcp.compute.BackendServiceBackendArgs(group=group.id)],
        security_policy=_floods(settings).id,
    )


def _floods(settings: Settings) -> Any:
    """Return what one address may ask for of all instances together."""
    rule = gcp.compute.SecurityPolicyRuleArgs
    everybody = gcp.compute.SecurityPolicyRuleMatchArgs(
        versioned_expr="SRC_IPS_V1",
        config=gcp.compute.SecurityPolicyRuleMatchConfigArgs(src_ip_ranges=["*"]),
    )
    throttle = gcp.compute.SecurityPolicyRuleRateLimitOptionsArgs(
        conform_action="allow",
        exceed_action="deny(429)",
        enforce_on_key="IP",
        rate_limit_threshold=gcp.compute.SecurityPolicyRuleRateLimitOptionsRateLimitThresholdArgs(
            count=REQUESTS_PER_MINUTE, interval_sec=60
        ),
    )
    return gcp.compute.SecurityPolicy(
        "api",
        project=settings.project,
        rules=[
            rule(
                action="throttle",
                priority=1,
                match=everybody,
                rate_limit_options=throttle,
            ),
            rule(action="allow", priority=LAST, match=everybody),
        ],
    )


def _hosting(settings: Settings) -> Any:
    """Return Hosting's own address of the project's site, behind ours."""
    name = f"{settings.project}.web.app"
    group = gcp.compute.GlobalNetworkEndpointGroup(
        "hosting",
        project=settings.project,
        network_endpoint_type="INTERNET_FQDN_PORT",
        default_port=443,
    )
    gcp.compute.GlobalNetworkEndpoint(
        "hosting",
        project=settings.project,
        global_network_endpoint_group=group.name,
        fqdn=name,
        port=443,
    )
    return gcp.compute.BackendService(
        "hosting",
        project=settings.project,
        protocol="HTTPS",
        load_balancing_scheme=SCHEME,
        backends=[gcp.compute.BackendServiceBackendArgs(group=group.id)],
        custom_request_headers=[f"Host: {name}"],
    )


def _listener(settings: Settings, routes: Any) -> Any:
    policy = gcp.compute.SSLPolicy(
        "edge", project=settings.project, min_tls_version="TLS_1_2", profile="MODERN"
    )
    proxy = gcp.compute.TargetHttpsProxy(
        "edge",
        project=settings.project,
        url_map=routes.id,
        ssl_certificates=[each.id for each in _certificates(settings)],
        ssl_policy=policy.id,
    )
    address = gcp.compute.GlobalAddress("edge", project=settings.project).address
    for name, port, target in (
        ("edge", "443", proxy),
        ("to-https", "80", _to_https(settings)),
    ):
        gcp.compute.GlobalForwardingRule(
            name,
            project=settings.project,
            ip_address=address,
            port_range=port,
            target=target.id,
            load_balancing_scheme=SCHEME,
        )
    return address


def _certificates(settings: Settings) -> list[Any]:
    return [
        gcp.compute.ManagedSslCertificate(
            name,
            project=settings.project,
            managed=gcp.compute.ManagedSslCertificateManagedArgs(domains=[domain]),
        )
        for name, domain in (
            ("live", settings.live_domain),
            ("parley", settings.domain),
        )
    ]


def _to_https(settings: Settings) -> Any:
    """
    Return what sends people who typed no scheme to https.

    It is a 301 and no 308: a client that posts in the clear fails at once, instead of
    showing its token to the whole way each time.
    """
    redirect = gcp.compute.URLMap(
        "to-https",
        project=settings.project,
        default_url_redirect=gcp.compute.URLMapDefaultUrlRedirectArgs(
            https_redirect=True,
            redirect_response_code="MOVED_PERMANENTLY_DEFAULT",
            strip_query=False,
        ),
    )
    return gcp.compute.TargetHttpProxy(
        "to-https", project=settings.project, url_map=redirect.id
    )

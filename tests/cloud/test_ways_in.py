"""Where the world comes in, and where it does not."""

import subprocess

import pytest

from tests.cloud.mocked import Cloud


def test_the_ways_in_are_these(cloud: Cloud) -> None:
    """
    Media and TURN from everywhere; a worker's control from the functions alone.
    """
    ways = {
        each.name: (
            each.inputs["sourceRanges"],
            {rule["protocol"]: rule["ports"] for rule in each.inputs["allows"]},
        )
        for each in cloud.of(":Firewall")
    }

    assert ways == {
        "media": (["0.0.0.0/0"], {"udp": ["7000-8000"]}),
        "control": (["10.8.0.0/24"], {"tcp": ["8080"]}),
        "turn": (["0.0.0.0/0"], {"udp": ["3478", "49152-65535"], "tcp": ["3478"]}),
    }
    functions = cloud.one(":Subnetwork", "functions")
    assert functions["ipCidrRange"] == "10.8.0.0/24"


def test_nobody_calls_the_api_but_through_the_load_balancer(cloud: Cloud) -> None:
    """
    It has the paths that firebase.json gives to the function and no others, and
    counts requests by address for all instances.  What it writes last into
    X-Forwarded-For is two addresses, and that many are trusted.
    """
    service = cloud.one(":Function", "api")["serviceConfig"]
    matchers = {
        each["name"]: each for each in cloud.one(":URLMap", "edge")["pathMatchers"]
    }
    rules = [rule["matchRules"][0] for rule in matchers["parley"]["routeRules"]]
    throttle, rest = cloud.one(":SecurityPolicy", "api")["rules"]

    assert service["ingressSettings"] == "ALLOW_INTERNAL_AND_GCLB"
    assert service["environmentVariables"]["PARLEY_TRUSTED_PROXIES"] == "2"
    assert rules == [
        {"pathTemplateMatch": "/v1/**"},
        {"pathTemplateMatch": "/2/**"},
        {"pathTemplateMatch": "/s/*"},
        {"fullPathMatch": "/docs"},
        {"pathTemplateMatch": "/.well-known/*"},
    ]
    assert {each["service"] for each in matchers["parley"]["routeRules"]} == {"api-id"}
    assert matchers["parley"]["defaultService"] == "hosting-id"
    assert cloud.one(":BackendService", "api")["securityPolicy"] == "api-id"
    assert (throttle["action"], rest["action"]) == ("throttle", "allow")
    assert throttle["rateLimitOptions"]["enforceOnKey"] == "IP"


def test_the_cdn_keeps_as_long_as_the_worker_says(cloud: Cloud) -> None:
    """
    No cache life of its own: a segment must not outlive its window.
    """
    policy = cloud.one(":BackendBucket", "live")["cdnPolicy"]

    assert policy["cacheMode"] == "USE_ORIGIN_HEADERS"
    assert policy["serveWhileStale"] == 0
    assert not {"defaultTtl", "maxTtl", "clientTtl"} & policy.keys()


def test_the_edge_speaks_new_tls_only(cloud: Cloud) -> None:
    """
    TLS 1.2 or newer with modern ciphers.
    """
    policy = cloud.one(":SSLPolicy", "edge")

    assert (policy["minTlsVersion"], policy["profile"]) == ("TLS_1_2", "MODERN")
    assert cloud.one(":TargetHttpsProxy", "edge")["sslPolicy"] == "edge-id"


def test_plain_http_is_sent_to_https(cloud: Cloud) -> None:
    """
    Port 80 of the same address answers 301 for whatever is asked, and serves nothing.
    """
    listeners = {
        each.inputs["portRange"]: (each.inputs["ipAddress"], each.inputs["target"])
        for each in cloud.of(":GlobalForwardingRule")
    }
    plain = cloud.one(":URLMap", "to-https")

    assert listeners == {
        "443": ("198.51.100.1", "edge-id"),
        "80": ("198.51.100.1", "to-https-id"),
    }
    assert cloud.one(":TargetHttpsProxy", "edge")["urlMap"] == "edge-id"
    assert cloud.one(":TargetHttpProxy", "to-https")["urlMap"] == "to-https-id"
    assert plain["defaultUrlRedirect"] == {
        "httpsRedirect": True,
        "redirectResponseCode": "MOVED_PERMANENTLY_DEFAULT",
        "stripQuery": False,
    }
    assert not {"defaultService", "hostRules", "pathMatchers"} & plain.keys()


def test_the_cluster_has_no_public_address(cloud: Cloud) -> None:
    """
    Its API is reached by a name before which IAM stands.
    """
    cluster = cloud.one(":Cluster", "parley")
    endpoints = cluster["controlPlaneEndpointsConfig"]

    assert endpoints["ipEndpointsConfig"] == {"enabled": False}
    assert cluster["deletionProtection"] is True
    assert cluster["enableAutopilot"] is True


@pytest.mark.parametrize("name", ["turn-b", "turn-c"])
def test_turn_gives_no_way_into_the_network(cloud: Cloud, name: str) -> None:
    """
    Credentials expire, and private addresses are no peers.
    """
    machine = cloud.one(":Instance", name)
    script = machine["metadataStartupScript"]
    (interface,) = machine["networkInterfaces"]

    assert "use-auth-secret" in script
    for range_ in ("10.0.0.0", "169.254.0.0", "192.168.0.0", "127.0.0.0"):
        assert f"denied-peer-ip={range_}" in script
    assert machine["serviceAccount"]["email"].startswith("parley-turn@")
    assert interface["accessConfigs"] == [{"natIp": "192.0.2.1"}]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True, timeout=60)

"""What `pulumi up` would make: whole, closed, and of one mind with the code."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.parley_cloud.sources import archived, sources
from spaces.config import Config
from spaces.environment import ConfigError
from tests.cloud.mocked import Cloud

INFRA = Path(__file__).parents[2] / "infra"
FUNCTIONS = INFRA.parent / "functions"
INDEXES = json.loads((INFRA / "firestore.indexes.json").read_text())


@pytest.mark.parametrize("name", ["api", "tasks"])
def test_a_functions_environment_is_whole(cloud: Cloud, name: str) -> None:
    """
    With the values of its secrets, its own configuration lacks and refuses nothing.
    """
    service = cloud.one(":Function", name)["serviceConfig"]
    env = service["environmentVariables"]
    bound = {
        each["key"]: each["secret"] for each in service["secretEnvironmentVariables"]
    }

    config = Config.from_env({**env, **dict.fromkeys(bound, "")} | secret_values())

    assert config.ice.turn is not None
    assert config.ice.turn.urls[0] == "turn:192.0.2.1:3478?transport=udp"
    assert bound.keys() == secret_values().keys()
    with pytest.raises(ConfigError, match="PARLEY_GRANT_PRIVATE_KEY"):
        Config.from_env(env)


def secret_values() -> dict[str, str]:
    """Return what an operator would have put into Secret Manager."""
    return {
        "PARLEY_GRANT_PRIVATE_KEY": "pem",
        "PARLEY_PROOF_PRIVATE_KEY": "pem",
        "PARLEY_ADMIN_KEYS": "k" * 32,
        "PARLEY_WEBHOOKS": "[]",
        "PARLEY_TURN_SECRET": "t" * 32,
    }


def test_no_secret_is_plain(cloud: Cloud) -> None:
    """
    No secret has a value here, and no variable that is one stands in the open.
    """
    assert cloud.of(":SecretVersion") == []
    for function in cloud.of(":Function"):
        plain = function.inputs["serviceConfig"]["environmentVariables"]
        assert not plain.keys() & secret_values().keys()
        assert not [name for name in plain if re.search("KEYS?$|SECRET|TOKEN", name)]


def test_the_fleets_accounts_are_these(cloud: Cloud) -> None:
    """
    The manifests name accounts, buckets and a namespace that exist.
    """
    access = (INFRA / "agones" / "access.yaml").read_text()
    accounts = {each.inputs["accountId"] for each in cloud.of(":Account")}

    named = set(re.findall(r"([\w-]+)@PROJECT\.iam", access))

    assert named == {"parley-worker", "parley-render", "parley-tasks"}
    assert named <= accounts


def test_the_apis_of_all_that_is_made_are_switched_on(cloud: Cloud) -> None:
    """
    In a fresh project nearly none is; a function also needs those that build it.
    """
    needed = {
        "billing": {"billingbudgets"},
        "cloudfunctionsv2": {"artifactregistry", "cloudbuild", "cloudfunctions", "run"},
        "cloudrunv2": {"run"},
        "cloudscheduler": {"cloudscheduler"},
        "cloudtasks": {"cloudtasks"},
        "compute": {"compute"},
        "container": {"container"},
        "firebaserules": {"firebaserules"},
        "firestore": {"firestore"},
        "kms": {"cloudkms"},
        "logging": {"logging"},
        "monitoring": {"monitoring"},
        "projects": {"cloudresourcemanager", "iam"},
        "secretmanager": {"secretmanager"},
        "serviceaccount": {"iam"},
        "storage": {"storage"},
    }
    made = {
        each.kind.removeprefix("gcp:").partition("/")[0] for each in cloud.resources
    }
    enabled = {
        each.inputs["service"].removesuffix(".googleapis.com")
        for each in cloud.of(":Service")
        if each.kind.startswith("gcp:projects/")
    }

    assert made == needed.keys()
    assert set().union(*needed.values()) <= enabled


def test_what_is_deleted_is_gone(cloud: Cloud) -> None:
    """
    No bucket keeps old versions or deleted objects, and each forgets in the end.
    """
    buckets = cloud.of(":Bucket")

    assert {each.name for each in buckets} == {
        *("live", "recordings", "recording-keys", "source")
    }
    for each in buckets:
        assert each.inputs["versioning"] == {"enabled": False}
        assert each.inputs["softDeletePolicy"] == {"retentionDurationSeconds": 0}
        assert each.inputs["uniformBucketLevelAccess"] is True
        deleting = [rule["action"]["type"] for rule in each.inputs["lifecycleRules"]]
        assert "Delete" in deleting
    public = {
        each.name
        for each in buckets
        if each.inputs["publicAccessPrevention"] != "enforced"
    }
    assert public == {"live"}


def test_the_database_has_the_indexes_of_the_emulator(cloud: Cloud) -> None:
    """
    What the embedded Firestore enforces is what production has, expiries included.
    """
    made = {
        (
            each.inputs["collection"],
            each.inputs["queryScope"],
            *(
                (f["fieldPath"], f.get("order") or f.get("arrayConfig"))
                for f in each.inputs["fields"]
            ),
        )
        for each in cloud.of(":Index")
    }
    expiring = {
        (each.inputs["collection"], each.inputs["field"])
        for each in cloud.of(":Field")
        if "ttlConfig" in each.inputs
    }

    assert made == {
        (
            row["collectionGroup"],
            row["queryScope"],
            *(
                (f["fieldPath"], f.get("order") or f.get("arrayConfig"))
                for f in row["fields"]
            ),
        )
        for row in INDEXES["indexes"]
    }
    assert len(cloud.of(":Field")) == len(INDEXES["fieldOverrides"])
    assert expiring == {
        (row["collectionGroup"], row["fieldPath"])
        for row in INDEXES["fieldOverrides"]
        if row.get("ttl")
    }


def test_the_rules_are_ours(cloud: Cloud) -> None:
    """
    What the rules' own tests evaluate is what is released.
    """
    (ruleset,) = cloud.of(":Ruleset")
    (file,) = ruleset.inputs["source"]["files"]

    assert file["content"] == (INFRA / "firestore.rules").read_text()
    assert cloud.of(":Release")[0].inputs["name"] == "cloud.firestore"


def test_the_queue_is_the_embedded_ones(cloud: Cloud) -> None:
    """
    Rates and retries are those that everything was tested with.
    """
    row = json.loads((INFRA / "local" / "queues.json").read_text())["parley"]
    queue = cloud.one(":Queue", "parley")

    assert queue["rateLimits"] == row["rateLimits"]
    assert queue["retryConfig"] == row["retryConfig"]


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


@pytest.mark.parametrize("name", ["api", "tasks"])
def test_other_sources_are_another_object(name: str, cloud: Cloud) -> None:
    """
    Its name tells what is in it: a function is built anew where it is told a name that
    it does not know, and for nothing else.
    """
    (source,) = [each for each in cloud.of(":BucketObject")]
    build = cloud.one(":Function", name)["buildConfig"]["source"]["storageSource"]
    before = archived({"main.py": FUNCTIONS / "main.py"})
    after = archived({"main.py": FUNCTIONS / "spaces" / "bootstrap.py"})

    assert build["object"] == source.inputs["name"] == archived(sources())
    assert len({before, after, source.inputs["name"]}) == 3
    assert {"main.py", "requirements.txt", "spaces/bootstrap.py"} <= sources().keys()
    assert not [path for path in sources() if "__pycache__" in path]


@pytest.mark.parametrize("name", ["api", "tasks"])
def test_functions_reach_workers_privately(cloud: Cloud, name: str) -> None:
    """
    What goes to a private address goes by our network, from the range let in.
    """
    service = cloud.one(":Function", name)["serviceConfig"]
    (interface,) = service["directVpcNetworkInterfaces"]

    assert service["directVpcEgress"] == "VPC_EGRESS_PRIVATE_RANGES_ONLY"
    assert interface["subnetwork"] == "functions-id"
    assert service["ingressSettings"] == (
        "ALLOW_INTERNAL_AND_GCLB" if name == "api" else "ALLOW_INTERNAL_ONLY"
    )


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


def test_the_sweep_is_called_by_the_queues_account(cloud: Cloud) -> None:
    """
    Once a minute, with the token that `/tasks` takes.
    """
    job = cloud.one(":Job", "sweep")
    env = cloud.one(":Function", "tasks")["serviceConfig"]["environmentVariables"]
    target: Any = job["httpTarget"]

    assert job["schedule"] == "* * * * *"
    assert target["uri"] == f"{env['PARLEY_TASKS_TARGET_URL']}/tasks/sweep"
    assert target["oidcToken"] == {
        "serviceAccountEmail": env["PARLEY_TASKS_SERVICE_ACCOUNT"],
        "audience": env["PARLEY_TASKS_AUDIENCE"],
    }


def test_the_key_is_wrapped_with_and_rotated(cloud: Cloud) -> None:
    """
    In hardware, anew every 90 days; old versions still open what they wrapped.
    """
    key = cloud.one(":CryptoKey", "recordings")

    assert key["purpose"] == "ENCRYPT_DECRYPT"
    assert key["rotationPeriod"] == f"{90 * 24 * 3600}s"
    assert key["versionTemplate"]["protectionLevel"] == "HSM"


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


def test_each_alert_has_its_run_book(cloud: Cloud) -> None:
    """
    Whoever is woken finds a page by the alert's own name; money is watched, too.
    """
    guide = (INFRA / "operations.md").read_text()
    alerts = [each.inputs for each in cloud.of(":AlertPolicy")]
    books = set(re.findall(r"^### (.+)$", guide, re.MULTILINE))

    assert {each["displayName"] for each in alerts} <= books
    assert all(each["notificationChannels"] for each in alerts)
    (budget,) = cloud.of(":Budget")
    percents = [rule["thresholdPercent"] for rule in budget.inputs["thresholdRules"]]
    assert percents == [0.5, 0.9, 1.0]


def test_the_apis_objectives_are_what_is_promised(cloud: Cloud) -> None:
    """
    Goals, windows and bounds come from the one list; a 503 alone is no failure.
    """
    promises = json.loads((INFRA / "observability" / "slos.json").read_text())
    by_id = {each["id"]: each for each in promises["objectives"]}
    available = cloud.one("/slo:Slo", "api-availability")
    quick = cloud.one("/slo:Slo", "api-write-latency")

    assert available["goal"] == by_id["api-availability"]["at_least"]
    ratio = available["requestBasedSli"]["goodTotalRatio"]
    assert 'response_code!="503"' in ratio["badServiceFilter"]
    bad = ratio["badServiceFilter"]
    assert bad.startswith(ratio["totalServiceFilter"])
    cut = quick["requestBasedSli"]["distributionCut"]
    assert quick["goal"] == 0.95
    assert cut["range"]["max"] == by_id["api-write-latency"]["at_most"] * 1000  # ms
    for objective in (available, quick):
        assert objective["rollingPeriodDays"] == promises["window_days"]
        assert objective["service"] == "parley-api"


def test_budgets_that_burn_are_told(cloud: Cloud) -> None:
    """
    Each over a long window and a short one, of an objective that there is.
    """
    burning = {
        each.name: each.inputs["conditions"]
        for each in cloud.of(":AlertPolicy")
        if each.inputs["combiner"] == "AND"
    }
    filters = [
        condition["conditionThreshold"]["filter"]
        for conditions in burning.values()
        for condition in conditions
    ]

    assert burning.keys() == {
        "The API fails",
        "The API fails at times",
        "The API is slow",
    }
    asked = [
        re.fullmatch(r'select_slo_burn_rate\("(.+)", "(\d+)s"\)', f) for f in filters
    ]
    assert all(asked)
    objectives = {each.name for each in cloud.of("/slo:Slo")}
    assert {match[1] for match in asked if match} == objectives
    windows = [int(match[2]) for match in asked if match]
    assert windows[::2] == [12 * short for short in windows[1::2]]


def test_the_dashboard_shows_what_is_counted(cloud: Cloud) -> None:
    """
    Its queries are of services, queues and counted log lines that there are.
    """
    (dashboard,) = cloud.of(":Dashboard")
    text = json.dumps(json.loads(dashboard.inputs["dashboardJson"])).replace("\\", "")
    counted = {each.name for each in cloud.of("/metric:Metric")}

    assert set(re.findall(r"logging\.googleapis\.com/user/([\w-]+)", text)) == counted
    services = set(re.findall(r'service_name"="(\w+)"', text))
    assert services == {each.name for each in cloud.of(":Function")}

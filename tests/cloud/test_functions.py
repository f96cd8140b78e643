"""What the functions are given: values, secrets, sources, and a way to the workers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from infra.cloud.parley_cloud.sources import archived, sources
from spaces.config import Config
from spaces.environment import ConfigError
from tests.cloud.mocked import Cloud

INFRA = Path(__file__).parents[2] / "infra"
FUNCTIONS = INFRA.parent / "functions"


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


def test_the_queue_is_the_embedded_ones(cloud: Cloud) -> None:
    """
    Rates and retries are those that everything was tested with.
    """
    row = json.loads((INFRA / "local" / "queues.json").read_text())["parley"]
    queue = cloud.one(":Queue", "parley")

    assert queue["rateLimits"] == row["rateLimits"]
    assert queue["retryConfig"] == row["retryConfig"]


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


@pytest.mark.parametrize("name", ["api", "tasks"])
def test_no_function_serves_before_its_queries_have_their_indexes(
    cloud: Cloud, name: str
) -> None:
    """
    Google builds them for minutes, and refuses queries until then.
    """
    (order,) = [each for each in cloud.orders if each.of.endswith(f":Function::{name}")]
    indexes = {
        f"{each.kind}::{each.name}"
        for kind in ("firestore/index:Index", "firestore/field:Field")
        for each in cloud.of(kind)
    }

    assert len(indexes) > 10
    assert indexes <= order.after


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

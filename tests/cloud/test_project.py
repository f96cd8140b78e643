"""The project around it all: accounts, APIs, and what is kept how long."""

import json
import re
from pathlib import Path

from tests.cloud.mocked import Cloud

INFRA = Path(__file__).parents[2] / "infra"
INDEXES = json.loads((INFRA / "firestore.indexes.json").read_text())


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


def test_the_key_is_wrapped_with_and_rotated(cloud: Cloud) -> None:
    """
    In hardware, anew every 90 days; old versions still open what they wrapped.
    """
    key = cloud.one(":CryptoKey", "recordings")

    assert key["purpose"] == "ENCRYPT_DECRYPT"
    assert key["rotationPeriod"] == f"{90 * 24 * 3600}s"
    assert key["versionTemplate"]["protectionLevel"] == "HSM"

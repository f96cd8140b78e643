"""Nobody may do more than is written here, a second time and by hand."""

import re
from typing import Any

from tests.cloud.mocked import PROJECT, Cloud, Resource

GRANT_KINDS = {
    "gcp:projects/iAMMember:IAMMember": "project",
    "gcp:storage/bucketIAMMember:BucketIAMMember": "bucket",
    "gcp:secretmanager/secretIamMember:SecretIamMember": "secretId",
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": "cryptoKeyId",
    "gcp:cloudtasks/queueIamMember:QueueIamMember": "name",
    "gcp:cloudrunv2/serviceIamMember:ServiceIamMember": "name",
    "gcp:serviceaccount/iAMMember:IAMMember": "serviceAccountId",
}
# Who: what they may do, and on what.
LISTED = {
    "api": {
        ("datastore.user", "project"),
        ("cloudtasks.enqueuer", "queue parley"),
        ("iam.serviceAccountUser", "account queue"),
        ("parleySignUrl", "account api"),
        ("storage.objectUser", "bucket recordings"),
        ("storage.objectUser", "bucket recording-keys"),
        ("secretmanager.secretAccessor", "secret grant-private-key"),
        ("secretmanager.secretAccessor", "secret proof-private-key"),
        ("secretmanager.secretAccessor", "secret admin-keys"),
        ("secretmanager.secretAccessor", "secret webhooks"),
        ("secretmanager.secretAccessor", "secret turn-secret"),
        ("monitoring.metricWriter", "project"),
        ("cloudtrace.agent", "project"),
        ("logging.logWriter", "project"),
    },
    "tasks": {
        ("datastore.user", "project"),
        ("cloudtasks.enqueuer", "queue parley"),
        ("iam.serviceAccountUser", "account queue"),
        ("parleyPush", "project"),
        ("parleyReachCluster", "project"),
        ("storage.objectUser", "bucket live"),
        ("storage.objectUser", "bucket recordings"),
        ("storage.objectUser", "bucket recording-keys"),
        ("secretmanager.secretAccessor", "secret grant-private-key"),
        ("secretmanager.secretAccessor", "secret proof-private-key"),
        ("secretmanager.secretAccessor", "secret admin-keys"),
        ("secretmanager.secretAccessor", "secret webhooks"),
        ("secretmanager.secretAccessor", "secret turn-secret"),
        ("monitoring.metricWriter", "project"),
        ("cloudtrace.agent", "project"),
        ("logging.logWriter", "project"),
    },
    "queue": {("run.invoker", "service tasks")},
    "worker": {
        ("datastore.user", "project"),
        ("parleyPublish", "bucket live"),
        ("storage.objectUser", "bucket recordings"),
        ("storage.objectUser", "bucket recording-keys"),
        ("cloudkms.cryptoKeyEncrypter", "key recordings"),
        ("monitoring.metricWriter", "project"),
        ("cloudtrace.agent", "project"),
        ("logging.logWriter", "project"),
    },
    "render": {
        ("storage.objectUser", "bucket recordings"),
        ("storage.objectUser", "bucket recording-keys"),
        ("cloudkms.cryptoKeyDecrypter", "key recordings"),
        ("monitoring.metricWriter", "project"),
        ("cloudtrace.agent", "project"),
        ("logging.logWriter", "project"),
    },
    "turn": {
        ("secretmanager.secretAccessor", "secret turn-secret"),
        ("logging.logWriter", "project"),
    },
    "build": {("cloudbuild.builds.builder", "project")},
    "pod worker": {("iam.workloadIdentityUser", "account worker")},
    "pod render": {("iam.workloadIdentityUser", "account render")},
    "everybody": {
        ("run.invoker", "service api"),
        ("storage.legacyObjectReader", "bucket live"),  # get, and not list
    },
}
CUSTOM = {
    "parleyPush": ["cloudmessaging.messages.create"],
    "parleyReachCluster": ["container.clusters.connect"],
    "parleySignUrl": ["iam.serviceAccounts.signBlob"],
    "parleyPublish": ["storage.objects.create", "storage.objects.delete"],
}


def who(member: str) -> str:
    """Return a member by the name that it has here."""
    if member == "allUsers":
        return "everybody"
    pod = re.fullmatch(
        rf"serviceAccount:{PROJECT}\.svc\.id\.goog\[parley/(.*)\]", member
    )
    if pod:
        return f"pod {pod[1]}"
    account = re.fullmatch(r"serviceAccount:parley-(\w+)@.*", member)
    assert account, member
    return account[1]


def on(grant: Resource) -> str:
    """Return what a grant is on by the name that it has here."""
    place = GRANT_KINDS[grant.kind]
    value: Any = grant.inputs[place]
    kind = grant.kind
    if place == "project":
        return "project"
    if place == "name":
        return f"{'queue' if 'Queue' in kind else 'service'} {value}"
    if place == "serviceAccountId":
        email = value.rpartition("/")[2]
        return f"account {email.partition('@')[0].removeprefix('parley-')}"
    if place == "bucket":
        return f"bucket {value.removeprefix(PROJECT + '-')}"
    return f"{'secret' if 'Secret' in kind else 'key'} {value.removesuffix('-id')}"


def test_no_permission_is_broader_than_listed(cloud: Cloud) -> None:
    """
    What the program grants is what stands above; more fails, and so does less.
    """
    granted: dict[str, set[tuple[str, str]]] = {}
    for each in cloud.resources:
        if each.kind in GRANT_KINDS:
            role = each.inputs["role"].rpartition("/")[2]
            granted.setdefault(who(each.inputs["member"]), set()).add((role, on(each)))

    assert granted == LISTED


def test_nothing_else_grants(cloud: Cloud) -> None:
    """
    No policy or binding that would replace others', no key of a service account.
    """
    others = {
        each.kind
        for each in cloud.resources
        if re.search(r"iam|policy|acl|accountkey", each.kind, re.IGNORECASE)
        and each.kind not in GRANT_KINDS
    }

    assert others == {
        "gcp:projects/iAMCustomRole:IAMCustomRole",
        "gcp:compute/sSLPolicy:SSLPolicy",
        "gcp:compute/securityPolicy:SecurityPolicy",  # of addresses, not of accounts
        "gcp:monitoring/alertPolicy:AlertPolicy",
    }


def test_own_roles_are_as_narrow_as_listed(cloud: Cloud) -> None:
    """
    Each role of our own has these permissions and no wildcard.
    """
    roles = {
        each.name: each.inputs["permissions"] for each in cloud.of(":IAMCustomRole")
    }

    assert roles == CUSTOM

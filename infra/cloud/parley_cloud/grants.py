"""Gives each account the roles that the table has for it, and no others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi_gcp as gcp

from .permissions import NAMESPACE, PERMISSIONS, PODS, Account, On, Permission
from .settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What permissions are on, by name."""

    accounts: Mapping[Account, Any]
    roles: Mapping[str, Any]
    buckets: Mapping[str, Any]
    secrets: Mapping[str, Any]
    keys: Mapping[str, Any]
    queues: Mapping[str, Any]
    functions: Mapping[str, Any]


def grant_all(settings: Settings, targets: Targets) -> None:
    """Make one IAM member for each row of `PERMISSIONS`."""
    for row in PERMISSIONS:
        _grant(row, settings, targets)


def _grant(row: Permission, settings: Settings, targets: Targets) -> None:
    custom = targets.roles.get(row.role)
    role = row.role if custom is None else custom.name
    who = _member(Account(row.account), settings, targets)
    name = "-".join(
        part.replace("/", "-")
        for part in (row.account, row.role.rpartition("/")[2], row.name)
        if part
    )
    given = {"role": role, "member": who}
    match On(row.on):
        case On.PROJECT:
            gcp.projects.IAMMember(name, project=settings.project, **given)
        case On.BUCKET:
            bucket = targets.buckets[row.name].name
            gcp.storage.BucketIAMMember(name, bucket=bucket, **given)
        case On.SECRET:
            secret = targets.secrets[row.name].id
            gcp.secretmanager.SecretIamMember(name, secret_id=secret, **given)
        case On.KEY:
            key = targets.keys[row.name].id
            gcp.kms.CryptoKeyIAMMember(name, crypto_key_id=key, **given)
        case On.QUEUE:
            queue = targets.queues[row.name]
            gcp.cloudtasks.QueueIamMember(
                name,
                name=queue.name,
                location=settings.region,
                project=settings.project,
                **given,
            )
        case On.FUNCTION:
            # A function of the second generation is a Cloud Run service.
            gcp.cloudrunv2.ServiceIamMember(
                name,
                name=targets.functions[row.name].name,
                location=settings.region,
                project=settings.project,
                **given,
            )
        case On.ACCOUNT:
            account = targets.accounts[Account(row.name)].name
            gcp.serviceaccount.IAMMember(name, service_account_id=account, **given)


def _member(account: Account, settings: Settings, targets: Targets) -> Any:
    if account is Account.EVERYBODY:
        return account.value
    if account in PODS:
        name = account.rpartition("/")[2]
        pool = f"{settings.project}.svc.id.goog"
        return f"serviceAccount:{pool}[{NAMESPACE}/{name}]"
    return targets.accounts[account].email.apply(
        lambda email: f"serviceAccount:{email}"
    )

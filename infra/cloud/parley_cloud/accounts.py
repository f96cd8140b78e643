"""Service accounts, and roles of our own."""

from collections.abc import Mapping
from typing import Any

import pulumi_gcp as gcp

from .permissions import CUSTOM_ROLES, PODS, Account
from .settings import Settings


def service_accounts(settings: Settings) -> Mapping[Account, Any]:
    """Return a service account for each part; none of them has a key."""
    return {
        account: gcp.serviceaccount.Account(
            account.value,
            account_id=f"parley-{account}",
            display_name=f"Parley: {account}",
            project=settings.project,
        )
        for account in Account
        if account not in (*PODS, Account.EVERYBODY)
    }


def custom_roles(settings: Settings) -> Mapping[str, Any]:
    """Return the roles of `CUSTOM_ROLES` by name."""
    return {
        name: gcp.projects.IAMCustomRole(
            name,
            role_id=name,
            title=name,
            permissions=list(permissions),
            project=settings.project,
        )
        for name, permissions in CUSTOM_ROLES.items()
    }

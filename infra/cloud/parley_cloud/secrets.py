"""Secret Manager's secrets.  Their values never pass through here."""

from collections.abc import Mapping
from typing import Any

import pulumi_gcp as gcp

from .permissions import Secret
from .settings import Settings


def secrets(settings: Settings) -> Mapping[str, Any]:
    """Return an empty secret for each name; an operator adds versions."""
    return {
        secret: gcp.secretmanager.Secret(
            secret.value,
            secret_id=f"parley-{secret}",
            project=settings.project,
            replication=gcp.secretmanager.SecretReplicationArgs(
                user_managed=gcp.secretmanager.SecretReplicationUserManagedArgs(
                    replicas=[
                        gcp.secretmanager.SecretReplicationUserManagedReplicaArgs(
                            location=settings.region
                        )
                    ]
                )
            ),
        )
        for secret in Secret
    }

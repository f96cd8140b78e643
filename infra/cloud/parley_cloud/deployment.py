"""Everything, in the order in which it needs each other."""

from typing import Any, Final

import pulumi_gcp as gcp

from .accounts import custom_roles, service_accounts
from .alerts import alerts
from .cluster import api_url, cluster
from .dashboard import dashboard
from .database import database
from .edge import edge
from .functions import Parts, functions, sweep
from .grants import Targets, grant_all
from .network import network
from .permissions import Account, Bucket
from .queues import queues
from .secrets import secrets
from .settings import Settings
from .storage import buckets, wrapping_keys
from .turn import turn, turn_addresses

SERVICES: Final = (
    "artifactregistry",
    "billingbudgets",
    "cloudbuild",
    "cloudfunctions",
    "cloudkms",
    "cloudresourcemanager",
    "cloudscheduler",
    "cloudtasks",
    "compute",
    "container",
    "fcm",
    "firebaseappcheck",
    "firebaserules",
    "firestore",
    "iam",
    "identitytoolkit",
    "logging",
    "monitoring",
    "run",
    "secretmanager",
    "storage",
    "telemetry",
)


def deploy(settings: Settings) -> dict[str, Any]:
    """Declare the cloud; return what an operator has to know of it."""
    for service in SERVICES:
        gcp.projects.Service(
            service,
            project=settings.project,
            service=f"{service}.googleapis.com",
            disable_on_destroy=False,
        )
    accounts, kept = service_accounts(settings), buckets(settings)
    hidden, found = secrets(settings), network(settings)
    indexes = database(settings)
    workers, relays = cluster(settings, found), turn_addresses(settings)
    called = functions(
        settings,
        Parts(
            network=found,
            accounts=accounts,
            secrets=hidden,
            buckets=kept,
            indexes=indexes,
            cluster_url=api_url(workers),
            turn_addresses=relays,
        ),
    )
    grant_all(
        settings,
        Targets(
            accounts=accounts,
            roles=custom_roles(settings),
            buckets=kept,
            secrets=hidden,
            keys=wrapping_keys(settings),
            queues=queues(settings),
            functions=called,
        ),
    )
    sweep(settings, accounts)
    turn(settings, found, accounts[Account.TURN], relays)
    alerts(settings)
    dashboard(settings)
    return {
        "address": edge(settings, kept[Bucket.LIVE], called["api"]),
        "cluster_url": api_url(workers),
    }

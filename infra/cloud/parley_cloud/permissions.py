"""Who may do what: the one table from which every grant is made."""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Account(StrEnum):
    """A service account, or everybody."""

    API = "api"  # the function that clients call
    TASKS = "tasks"  # the function that the task queue calls
    QUEUE = "queue"  # whose OIDC tokens Cloud Tasks sends
    WORKER = "worker"  # rooms
    RENDER = "render"  # renders and clips, which sign
    TURN = "turn"  # coturn's machines
    BUILD = "build"  # makes the functions' images
    WORKER_POD = "pod/worker"  # of the fleets' namespace: infra/agones/access.yaml
    RENDER_POD = "pod/render"
    EVERYBODY = "allUsers"


PODS: Final = (Account.WORKER_POD, Account.RENDER_POD)


class On(StrEnum):
    """What a role is given on: never on more than it is needed for."""

    PROJECT = "project"
    BUCKET = "bucket"
    SECRET = "secret"  # noqa: S105 - a word
    KEY = "key"
    QUEUE = "queue"
    FUNCTION = "function"
    ACCOUNT = "account"


class Secret(StrEnum):
    """What Secret Manager holds; an operator puts the values in."""

    GRANT_KEY = "grant-private-key"
    PROOF_KEY = "proof-private-key"
    ADMIN_KEYS = "admin-keys"
    WEBHOOKS = "webhooks"
    TURN = "turn-secret"


class Bucket(StrEnum):
    """Buckets, by the end of their names."""

    LIVE = "live"
    RECORDINGS = "recordings"
    RECORDING_KEYS = "recording-keys"
    SOURCE = "source"


# Narrower than any role of Google's that has the permission.
CUSTOM_ROLES: Final = MappingProxyType(
    {
        "parleyPush": ("cloudmessaging.messages.create",),
        # The cluster's name; what may be done there, its own roles say.
        "parleyReachCluster": ("container.clusters.connect",),
        "parleySignUrl": ("iam.serviceAccounts.signBlob",),
        # Overwrite and delete, but list nothing and read nothing.
        "parleyPublish": ("storage.objects.create", "storage.objects.delete"),
    }
)
OBJECTS: Final = "roles/storage.objectUser"
GET_OBJECTS: Final = "roles/storage.legacyObjectReader"  # and list nothing
READ_SECRET: Final = "roles/secretmanager.secretAccessor"  # noqa: S105 - a role
BE_ACCOUNT: Final = "roles/iam.workloadIdentityUser"
DOCUMENTS: Final = "roles/datastore.user"
METRICS: Final = "roles/monitoring.metricWriter"
LOGS: Final = "roles/logging.logWriter"
TRACES: Final = "roles/cloudtrace.agent"
NAMESPACE: Final = "parley"


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One account has one role on one thing."""

    account: str
    on: str
    name: str
    role: str


def _rows() -> tuple[Permission, ...]:
    functions = (Account.API, Account.TASKS)
    return (
        # Both functions decide: they read and write documents and queue what follows.
        *(Permission(each, On.PROJECT, "", DOCUMENTS) for each in functions),
        *(
            Permission(each, On.QUEUE, "parley", "roles/cloudtasks.enqueuer")
            for each in functions
        ),
        *(
            Permission(each, On.ACCOUNT, Account.QUEUE, "roles/iam.serviceAccountUser")
            for each in functions
        ),
        *(
            Permission(each, On.SECRET, secret, READ_SECRET)
            for each in functions
            for secret in Secret  # both read the whole of their configuration
        ),
        # Withdrawing a consent erases keys first, then what they opened.
        *(
            Permission(each, On.BUCKET, bucket, OBJECTS)
            for each in functions
            for bucket in (Bucket.RECORDINGS, Bucket.RECORDING_KEYS)
        ),
        Permission(Account.API, On.ACCOUNT, Account.API, "parleySignUrl"),
        Permission(Account.TASKS, On.BUCKET, Bucket.LIVE, OBJECTS),
        Permission(Account.TASKS, On.PROJECT, "", "parleyPush"),
        Permission(Account.TASKS, On.PROJECT, "", "parleyReachCluster"),
        # A room enforces: its documents, its live edge, its stems.
        Permission(Account.WORKER, On.PROJECT, "", DOCUMENTS),
        Permission(Account.WORKER, On.BUCKET, Bucket.LIVE, "parleyPublish"),
        *(
            Permission(each, On.BUCKET, bucket, OBJECTS)
            for each in (Account.WORKER, Account.RENDER)
            for bucket in (Bucket.RECORDINGS, Bucket.RECORDING_KEYS)
        ),
        Permission(
            Account.WORKER, On.KEY, "recordings", "roles/cloudkms.cryptoKeyEncrypter"
        ),
        Permission(
            Account.RENDER, On.KEY, "recordings", "roles/cloudkms.cryptoKeyDecrypter"
        ),
        Permission(Account.WORKER_POD, On.ACCOUNT, Account.WORKER, BE_ACCOUNT),
        Permission(Account.RENDER_POD, On.ACCOUNT, Account.RENDER, BE_ACCOUNT),
        Permission(Account.TURN, On.SECRET, Secret.TURN, READ_SECRET),
        Permission(Account.BUILD, On.PROJECT, "", "roles/cloudbuild.builds.builder"),
        # Whoever has an address may call the API, and what a CDN may show is public.
        Permission(Account.EVERYBODY, On.FUNCTION, "api", "roles/run.invoker"),
        Permission(Account.QUEUE, On.FUNCTION, "tasks", "roles/run.invoker"),
        Permission(Account.EVERYBODY, On.BUCKET, Bucket.LIVE, GET_OBJECTS),
        *(
            Permission(each, On.PROJECT, "", role)
            for each in (*functions, Account.WORKER, Account.RENDER)
            for role in (METRICS, TRACES)
        ),
        *(
            Permission(each, On.PROJECT, "", LOGS)
            for each in (*functions, Account.WORKER, Account.RENDER, Account.TURN)
        ),
    )


PERMISSIONS: Final = _rows()

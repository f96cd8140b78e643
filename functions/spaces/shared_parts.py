"""Parts of both applications, as configured."""

from collections.abc import Callable

from .adapters.clock import utc_now
from .adapters.effect_queue import OutboxEffectQueue, TaskCreator, TaskTarget
from .adapters.firestore.client import BoundedClient
from .adapters.firestore.outbox import FirestoreOutbox
from .adapters.firestore.spaces import FirestoreSpaceStore
from .config import Config
from .service.ports import EffectQueue
from .service.webhooks import EventfulSpaceStore


def eventful_spaces(
    config: Config, client: BoundedClient, effects: EffectQueue
) -> EventfulSpaceStore:
    """Return the store of Spaces, which tells webhooks of what changes."""
    return EventfulSpaceStore(
        store=FirestoreSpaceStore(client, utc_now),
        effects=effects,
        now=utc_now,
        wants=wanted_events(config),
    )


def wanted_events(config: Config) -> Callable[[str], bool]:
    """Return whether any webhook of this deployment wants an event."""
    return lambda event: any(each.wants(event) for each in config.webhooks)


def effect_queue(config: Config, client: BoundedClient) -> EffectQueue:
    """Return the queue of effects; it opens no connection before the first one."""
    target = TaskTarget(
        queue=config.tasks_queue,
        url=config.tasks_target_url,
        service_account=config.tasks_service_account,
        audience=config.tasks_audience,
    )
    tasks_host = config.local.tasks_host if config.local else None

    def open_tasks() -> TaskCreator:
        from .adapters.cloud_tasks import CloudTasks, open_tasks_client

        return CloudTasks(open_tasks_client(tasks_host), target)

    return OutboxEffectQueue(open_tasks, FirestoreOutbox(client))

"""The composition root of the task queue's API."""

import functools
from collections.abc import Mapping

import flask

from spaces_tracing.spans import install

from .adapters.clock import random_token, utc_now
from .adapters.firestore.client import BoundedClient
from .adapters.firestore.fan_outs import FirestoreFanOutStore
from .adapters.firestore.invites import FirestoreInviteStore
from .adapters.firestore.launches import FirestoreLaunchStore
from .adapters.firestore.members import FirestoreMemberStore
from .adapters.firestore.profiles import FirestoreProfileStore
from .adapters.firestore.push_devices import FirestoreDeviceStore
from .adapters.firestore.relays import FirestoreRelayStore
from .adapters.firestore.space_finder import FirestoreSpaceFinder
from .adapters.firestore.subscribers import FirestoreSubscriberStore
from .adapters.firestore.suspensions import FirestoreSuspensionStore
from .adapters.launchers.process import ProcessLauncher
from .adapters.launchers.settings import AgonesSettings, ContainerSettings
from .adapters.launchers.traced import TracedLauncher
from .adapters.signed_tokens import Ed25519Signer
from .adapters.task_tokens import LOCAL_ISSUERS, OidcTaskTokens
from .adapters.webhooks import HttpWebhookSender
from .config import Config
from .erasure_parts import erasure_service
from .http.json_log import configure_logging
from .http.tasks import (
    erasure_route,
    live_edge_route,
    shut_out_route,
    webhook_routes,
)
from .http.tasks_app import tasks_app
from .launcher_config import ProcessConfig
from .recording_parts import RecordingParts
from .service.announcing import AnnouncingService
from .service.announcing_ports import PushSender
from .service.live_edge import LiveEdgeObjects, LiveEdgeService
from .service.personal_news import PersonalNews
from .service.ports import EffectQueue, Launcher, SpaceStore
from .service.relays import RelayService
from .service.schedule import ScheduleTasks
from .service.shutting_out import ShuttingOut
from .service.token_ports import TaskTokens
from .service.upkeep import UpkeepService
from .service.webhooks import WebhookService
from .shared_parts import effect_queue, eventful_spaces, wanted_events


def build_tasks(env: Mapping[str, str]) -> flask.Flask:
    """
    Return the API of the task queue; opens no connection yet.

    Raises:
        ConfigError: `env` lacks something, or has what it must not.
    """
    configure_logging(env.get("PARLEY_PROJECT_ID"))
    install(env, "parley-functions")
    config = Config.from_env(env)
    client = BoundedClient(project=config.project_id)
    effects = effect_queue(config, client)
    announcing = _announcing(config, client, effects)
    schedule = ScheduleTasks(
        spaces=announcing.spaces,
        subscribers=announcing.subscribers,
        announcing=announcing,
        effects=effects,
        now=utc_now,
    )
    launcher = TracedLauncher(_launcher(config))
    recorded = RecordingParts(config.recording, client, config.public_url)
    recordings = recorded.tasks(launcher, announcing, effects, wanted_events(config))
    live_edge = LiveEdgeService(
        spaces=announcing.spaces,
        open_objects=functools.cache(lambda: _live_edge_objects(config)),
        effects=effects,
        now=utc_now,
    )
    upkeep = UpkeepService(
        spaces=announcing.spaces,
        launches=FirestoreLaunchStore(client),
        launcher=launcher,
        effects=effects,
        now=utc_now,
        finder=FirestoreSpaceFinder(client),
        tell_live=schedule.live,
        space_over=(recordings.space_over, live_edge.space_over),
        mend_live_edge=live_edge.mend,
        mend_recordings=recordings.mend,
        place_relays=_relays(config, client, launcher).look,
    )
    return tasks_app(
        upkeep,
        schedule,
        announcing,
        recordings,
        _task_tokens(config),
        (
            erasure_route(erasure_service(config, client, effects)),
            live_edge_route(live_edge),
            shut_out_route(_shutting_out(config, client, effects, announcing.spaces)),
            *webhook_routes(_webhooks(config, announcing.spaces, effects)),
        ),
    )


def _relays(config: Config, client: BoundedClient, launcher: Launcher) -> RelayService:
    return RelayService(
        store=FirestoreRelayStore(client),
        launcher=launcher,
        grants=Ed25519Signer(config.grant_private_key),
        now=utc_now,
        limits=config.relays,
    )


def _shutting_out(
    config: Config, client: BoundedClient, effects: EffectQueue, spaces: SpaceStore
) -> ShuttingOut:
    return ShuttingOut(
        spaces=spaces,
        members=FirestoreMemberStore(client),
        profiles=FirestoreProfileStore(client),
        grants=Ed25519Signer(config.grant_private_key),
        suspensions=FirestoreSuspensionStore(client),
        effects=effects,
        now=utc_now,
    )


def _live_edge_objects(config: Config) -> LiveEdgeObjects:
    from .adapters.live_edge_objects import StoredLiveEdge
    from .adapters.object_stores import open_store

    keys = config.live.keys
    return StoredLiveEdge(
        open_store(config.live.store_url), open_store(keys.store_url) if keys else None
    )


def _webhooks(
    config: Config, spaces: SpaceStore, effects: EffectQueue
) -> WebhookService:
    return WebhookService(
        spaces=spaces,
        endpoints=config.webhooks,
        sender=HttpWebhookSender(private=config.local is not None),
        effects=effects,
        now=utc_now,
        public_url=config.public_url,
    )


def _announcing(
    config: Config, client: BoundedClient, effects: EffectQueue
) -> AnnouncingService:
    fcm_url = config.local.fcm_url if config.local else None

    def open_pushes() -> PushSender:
        from .adapters.fcm import FcmPushSender

        return FcmPushSender(config.project_id, fcm_url=fcm_url)

    return AnnouncingService(
        spaces=eventful_spaces(config, client, effects),
        subscribers=FirestoreSubscriberStore(client),
        personal=PersonalNews(
            invites=FirestoreInviteStore(client), members=FirestoreMemberStore(client)
        ),
        devices=FirestoreDeviceStore(client),
        fan_outs=FirestoreFanOutStore(client),
        open_pushes=functools.cache(open_pushes),
        effects=effects,
        now=utc_now,
        new_token=random_token,
        public_url=config.public_url,
    )


def _launcher(config: Config) -> Launcher:
    match config.launcher:
        case ProcessConfig(url=url, token=token):
            return ProcessLauncher(url, token=token)
        case ContainerSettings() as container:
            from .adapters.launchers.container import ContainerLauncher

            return ContainerLauncher(
                container,
                project_id=config.project_id,
                grant_public_key=Ed25519Signer(config.grant_private_key).public_key_pem,
            )
        case AgonesSettings() as agones:
            from .adapters.launchers.agones import AgonesLauncher

            return AgonesLauncher(agones, now=utc_now)


def _task_tokens(config: Config) -> TaskTokens:
    if config.local is None:
        return OidcTaskTokens(
            audience=config.tasks_audience,
            service_account=config.tasks_service_account,
        )
    return OidcTaskTokens(
        audience=config.tasks_audience,
        service_account=config.tasks_service_account,
        certs_url=config.local.oidc_certs_url,
        issuers=LOCAL_ISSUERS,
    )

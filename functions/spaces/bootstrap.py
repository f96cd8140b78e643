"""The composition root: which adapter serves which port."""

import functools
import time
from collections.abc import Callable, Mapping

import flask

from .adapters.clock import random_space_id, random_token, utc_now
from .adapters.effect_queue import OutboxEffectQueue, TaskCreator, TaskTarget
from .adapters.firebase_auth import FirebaseIdTokens
from .adapters.firestore.accounts import FirestoreAccountStore
from .adapters.firestore.client import BoundedClient
from .adapters.firestore.fan_outs import FirestoreFanOutStore
from .adapters.firestore.invites import FirestoreInviteStore
from .adapters.firestore.launches import FirestoreLaunchStore
from .adapters.firestore.members import FirestoreMemberStore
from .adapters.firestore.outbox import FirestoreOutbox
from .adapters.firestore.people_finder import FirestorePeopleFinder
from .adapters.firestore.profiles import FirestoreProfileStore
from .adapters.firestore.push_devices import FirestoreDeviceStore
from .adapters.firestore.registrations import FirestoreRegistrationStore
from .adapters.firestore.relations import FirestoreRelationStore
from .adapters.firestore.reports import FirestoreReportStore
from .adapters.firestore.space_finder import FirestoreSpaceFinder
from .adapters.firestore.spaces import FirestoreSpaceStore
from .adapters.firestore.stage import FirestoreStageStore
from .adapters.firestore.subscribers import FirestoreSubscriberStore
from .adapters.firestore.suspensions import FirestoreSuspensionStore
from .adapters.launchers.process import ProcessLauncher
from .adapters.launchers.settings import AgonesSettings, ContainerSettings
from .adapters.signed_tokens import Ed25519Signer
from .adapters.task_tokens import LOCAL_ISSUERS, OidcTaskTokens
from .adapters.web_shell import HttpWebShell
from .adapters.webhooks import HttpWebhookSender
from .adapters.worker_control import HttpWorkerControl
from .config import Config
from .environment import ConfigError
from .http import (
    account,
    admin,
    client_app,
    discovery,
    editing,
    invites,
    media,
    membership,
    people,
    people_search,
    profiles,
    reactions,
    reminders,
    share,
    spaces,
    speak_requests,
    well_known,
    x_api,
)
from .http.app import api_app, tasks_app
from .http.json_log import configure_logging
from .http.operations import Operation
from .http.rate_limits import Limits, RateLimiter, with_defaults
from .http.tasks import erasure_route, webhook_routes
from .launcher_config import ProcessConfig
from .recording_parts import RecordingParts
from .service.announcing import AnnouncingService
from .service.announcing_ports import PushSender
from .service.discovery import DiscoveryService
from .service.editing import EditingService, ReportService
from .service.erasure import ErasureService
from .service.invites import InviteService
from .service.media import MediaService
from .service.membership import MembershipService
from .service.operators import OperatorService, SuspendedPeople
from .service.people import DeviceService, RelationService
from .service.people_search import PeopleSearchService
from .service.personal_news import PersonalNews
from .service.ports import EffectQueue, Launcher, SpaceStore, TaskTokens
from .service.profiles import ProfileService
from .service.reactions import ReactionService
from .service.schedule import ReminderService, ScheduleTasks
from .service.spaces import SpaceService
from .service.stage import StageService
from .service.upkeep import UpkeepService
from .service.webhooks import EventfulSpaceStore, WebhookService


def build_api(env: Mapping[str, str]) -> flask.Flask:
    """
    Return the API of clients; opens no connection yet.

    Raises:
        ConfigError: `env` lacks something, or has what it must not.
    """
    configure_logging()
    config = Config.from_env(env)
    local = config.local
    limiter = RateLimiter(_rate_limits(config))
    client = BoundedClient(project=config.project_id)
    suspended = SuspendedPeople(FirestoreSuspensionStore(client), time.monotonic)
    return api_app(
        _operations(config, client, limiter, suspended),
        id_tokens=FirebaseIdTokens(
            config.project_id, certs_url=local.id_token_certs_url if local else None
        ),
        cors_origins=config.cors_origins,
        public_url=config.public_url,
        guards=(
            limiter,
            admin.suspension_guard(suspended),
            client_app.guard(config.capabilities),
        ),
    )


def _operations(
    config: Config,
    client: BoundedClient,
    limiter: RateLimiter,
    suspended: SuspendedPeople,
) -> tuple[Operation, ...]:
    signer = Ed25519Signer(config.grant_private_key)
    effects = _effects(config, client)
    space_store = _spaces(config, client, effects)
    profile_store = FirestoreProfileStore(client)
    member_store = FirestoreMemberStore(client)
    accounts = ProfileService(profiles=profile_store, now=utc_now)
    hosting = SpaceService(
        spaces=space_store,
        profiles=profile_store,
        effects=effects,
        now=utc_now,
        new_space_id=random_space_id,
    )
    recorded = RecordingParts(config.recording, client, config.public_url)
    taking_part = MembershipService(
        members=member_store,
        grants=signer,
        now=utc_now,
        new_token=random_token,
        notice=recorded.notice,
    )
    talking = MediaService(
        spaces=space_store, grants=signer, workers=HttpWorkerControl(), now=utc_now
    )
    reacting = ReactionService(
        spaces=space_store,
        grants=signer,
        workers=HttpWorkerControl(),
        now=utc_now,
        monotonic=time.monotonic,
        sleep=time.sleep,
    )
    asking = StageService(
        members=member_store,
        stage=FirestoreStageStore(client),
        effects=effects,
        now=utc_now,
    )
    inviting = InviteService(
        spaces=space_store,
        invites=FirestoreInviteStore(client),
        effects=effects,
        now=utc_now,
    )
    changing = EditingService(spaces=space_store, effects=effects, now=utc_now)
    reporting = ReportService(
        reports=FirestoreReportStore(client), now=utc_now, new_token=random_token
    )
    waiting = ReminderService(
        spaces=space_store,
        subscribers=FirestoreSubscriberStore(client),
        effects=effects,
        now=utc_now,
    )
    relating = RelationService(
        relations=FirestoreRelationStore(client),
        members=member_store,
        grants=signer,
        now=utc_now,
    )
    devices = DeviceService(registrations=FirestoreRegistrationStore(client))
    people_finder = FirestorePeopleFinder(client)
    finding = DiscoveryService(
        spaces=FirestoreSpaceFinder(client), people=people_finder, now=utc_now
    )
    operating = OperatorService(
        spaces=space_store,
        members=member_store,
        grants=signer,
        suspensions=FirestoreSuspensionStore(client),
        suspended=suspended,
        desk=FirestoreReportStore(client),
        effects=effects,
        now=utc_now,
    )
    url, ice_servers = config.public_url, config.ice_servers
    return (
        *profiles.operations(accounts),
        *account.operations(_erasure(config, client, effects)),
        *people.operations(relating, devices, config.capabilities, utc_now),
        *people_search.operations(PeopleSearchService(people=people_finder)),
        *discovery.operations(finding, url),
        *x_api.operations(finding),
        *spaces.operations(hosting, url),
        *share.operations(hosting, HttpWebShell(config.pages.shell_url), url),
        *well_known.operations(config.pages.apple_app_ids, config.pages.android_apps),
        *editing.operations(changing, reporting, url),
        *speak_requests.operations(asking, url),
        *invites.operations(inviting, url),
        *reminders.operations(waiting),
        *membership.operations(
            taking_part, url, ice_servers, client_app.requirement(config.capabilities)
        ),
        *media.operations(talking, url, ice_servers),
        *reactions.operations(reacting, limiter.react),
        *admin.operations(
            admin.AdminResource(operating, accounts, relating, url), config.admin_keys
        ),
        *recorded.operations(effects),
    )


def _rate_limits(config: Config) -> Limits:
    try:
        return with_defaults(config.rate_limits)
    except ValueError as error:
        raise ConfigError(f"PARLEY_RATE_LIMITS: {error}") from None


def build_tasks(env: Mapping[str, str]) -> flask.Flask:
    """
    Return the API of the task queue; opens no connection yet.

    Raises:
        ConfigError: `env` lacks something, or has what it must not.
    """
    configure_logging()
    config = Config.from_env(env)
    client = BoundedClient(project=config.project_id)
    effects = _effects(config, client)
    announcing = _announcing(config, client, effects)
    schedule = ScheduleTasks(
        spaces=announcing.spaces,
        subscribers=announcing.subscribers,
        announcing=announcing,
        effects=effects,
        now=utc_now,
    )
    launcher = _launcher(config)
    recorded = RecordingParts(config.recording, client, config.public_url)
    recordings = recorded.tasks(launcher, announcing, effects, _wants(config))
    upkeep = UpkeepService(
        spaces=announcing.spaces,
        launches=FirestoreLaunchStore(client),
        launcher=launcher,
        effects=effects,
        now=utc_now,
        tell_live=schedule.live,
        space_over=recordings.space_over,
    )
    return tasks_app(
        upkeep,
        schedule,
        announcing,
        recordings,
        _task_tokens(config),
        (
            erasure_route(_erasure(config, client, effects)),
            *webhook_routes(_webhooks(config, announcing.spaces, effects)),
        ),
    )


def _spaces(
    config: Config, client: BoundedClient, effects: EffectQueue
) -> EventfulSpaceStore:
    return EventfulSpaceStore(
        store=FirestoreSpaceStore(client, utc_now),
        effects=effects,
        now=utc_now,
        wants=_wants(config),
    )


def _wants(config: Config) -> Callable[[str], bool]:
    return lambda event: any(each.wants(event) for each in config.webhooks)


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


def _erasure(
    config: Config, client: BoundedClient, effects: EffectQueue
) -> ErasureService:
    spaces = _spaces(config, client, effects)
    recorded = RecordingParts(config.recording, client, config.public_url)
    return ErasureService(
        accounts=FirestoreAccountStore(client),
        spaces=spaces,
        registrations=FirestoreRegistrationStore(client),
        reminders=ReminderService(
            spaces=spaces,
            subscribers=FirestoreSubscriberStore(client),
            effects=effects,
            now=utc_now,
        ),
        effects=effects,
        now=utc_now,
        voices=(recorded.consents(effects, recorded.prover()).forget,),
    )


def _announcing(
    config: Config, client: BoundedClient, effects: EffectQueue
) -> AnnouncingService:
    fcm_url = config.local.fcm_url if config.local else None

    def open_pushes() -> PushSender:
        from .adapters.fcm import FcmPushSender

        return FcmPushSender(config.project_id, fcm_url=fcm_url)

    return AnnouncingService(
        spaces=_spaces(config, client, effects),
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


def _effects(config: Config, client: BoundedClient) -> EffectQueue:
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

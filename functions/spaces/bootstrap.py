"""The composition root of the clients' API: which adapter serves which port."""

import time
from collections.abc import Mapping

import flask

from .adapters.clock import random_space_id, random_token, utc_now
from .adapters.firebase_auth import FirebaseIdTokens
from .adapters.firestore.client import BoundedClient
from .adapters.firestore.invites import FirestoreInviteStore
from .adapters.firestore.members import FirestoreMemberStore
from .adapters.firestore.people_finder import FirestorePeopleFinder
from .adapters.firestore.profiles import FirestoreProfileStore
from .adapters.firestore.registrations import FirestoreRegistrationStore
from .adapters.firestore.relations import FirestoreRelationStore
from .adapters.firestore.reports import FirestoreReportStore
from .adapters.firestore.space_finder import FirestoreSpaceFinder
from .adapters.firestore.stage import FirestoreStageStore
from .adapters.firestore.subscribers import FirestoreSubscriberStore
from .adapters.firestore.suspensions import FirestoreSuspensionStore
from .adapters.signed_tokens import Ed25519Signer
from .adapters.web_shell import HttpWebShell
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
from .http.app import api_app
from .http.json_log import configure_logging
from .http.operations import Operation
from .http.rate_limits import Limits, RateLimiter, with_defaults
from .recording_parts import RecordingParts
from .service.discovery import DiscoveryService
from .service.editing import EditingService, ReportService
from .service.invites import InviteService
from .service.media import MediaService
from .service.membership import MembershipService
from .service.operators import OperatorService, SuspendedPeople
from .service.people import DeviceService, RelationService
from .service.people_search import PeopleSearchService
from .service.profiles import ProfileService
from .service.reactions import ReactionService
from .service.schedule import ReminderService
from .service.spaces import SpaceService
from .service.stage import StageService
from .shared_parts import effect_queue, erasure_service, eventful_spaces


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
    effects = effect_queue(config, client)
    space_store = eventful_spaces(config, client, effects)
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
        *account.operations(erasure_service(config, client, effects)),
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

"""The functions' two applications over doubles, and people who call them."""

from dataclasses import replace
from functools import cached_property
from typing import Any

import flask
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from spaces.adapters.clock import random_space_id, random_token
from spaces.adapters.signed_tokens import Ed25519Signer
from spaces.domain.capability import Capability
from spaces.domain.relays import RelayLimits
from spaces.domain.token_bucket import RateLimit
from spaces.domain.web_app import WebApp
from spaces.domain.webhook import Endpoint
from spaces.http.operations import Operation
from spaces.http.rate_limits import RateLimiter, Scope
from spaces.service.announcing import AnnouncingService
from spaces.service.discovery import DiscoveryService
from spaces.service.editing import EditingService, ReportService
from spaces.service.erasure import ErasureService
from spaces.service.invites import InviteService
from spaces.service.media import MediaService
from spaces.service.membership import MembershipService
from spaces.service.operators import OperatorService
from spaces.service.people import DeviceService, RelationService
from spaces.service.people_search import PeopleSearchService
from spaces.service.personal_news import PersonalNews
from spaces.service.profiles import ProfileService
from spaces.service.reactions import ReactionService
from spaces.service.recording_asks import RecordingAsks
from spaces.service.relays import RelayService
from spaces.service.schedule import ReminderService, ScheduleTasks
from spaces.service.shutting_out import ShuttingOut
from spaces.service.spaces import SpaceService
from spaces.service.stage import StageService
from spaces.service.suspended import SuspendedPeople
from spaces.service.upkeep import UpkeepService
from spaces.service.webhooks import EventfulSpaceStore, WebhookService
from spaces_contract.grants import Grant
from tests.account_fakes import MemoryAccountStore
from tests.announcing_fakes import (
    FakePushes,
    MemoryDeviceStore,
    MemoryFanOutStore,
    MemorySubscriberStore,
)
from tests.applications import PUBLIC_URL, api_of, operations_of, tasks_of
from tests.discovery_fakes import MemoryPeopleFinder, MemorySpaceFinder
from tests.fakes import (
    EffectLog,
    FakeClock,
    FakeIdTokens,
    FakeLauncher,
    MemoryDatabase,
    MemoryLaunchStore,
    MemoryMemberStore,
    MemoryProfileStore,
    MemorySpaceStore,
)
from tests.listening_world import ListeningWorld
from tests.people_fakes import MemoryRegistrationStore, MemoryRelationStore
from tests.recording_fakes import MemoryRecordingStore, RecordingWorld
from tests.relay_fakes import MemoryRelayStore
from tests.stage_fakes import (
    MemoryInviteStore,
    MemoryReportStore,
    MemoryStageStore,
    MemorySuspensionStore,
)
from tests.stores import Stores
from tests.worker_fakes import FakeWebhookReceiver, FakeWebShell, FakeWorkerControl


def a_private_key() -> str:
    """Return a new Ed25519 key, PEM."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )


class World:
    """Everything of one deployment, in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.database = MemoryDatabase()
        self.effects = self.make_effects()
        self.launches = MemoryLaunchStore()
        self.launcher = FakeLauncher()
        self.reports = MemoryReportStore(self.database)
        self.suspensions = MemorySuspensionStore(self.database)
        self.registrations = MemoryRegistrationStore()
        self.capabilities: dict[str, dict[Capability, str | None]] = {}
        self.limits: dict[Scope, RateLimit] = {}
        self.relay_limits = RelayLimits(from_share=0.8, most=2)
        self.relays = MemoryRelayStore()
        self.devices = MemoryDeviceStore()
        self.pushes = FakePushes()
        self.workers = FakeWorkerControl()
        self.id_tokens = FakeIdTokens()
        self.signer = Ed25519Signer(a_private_key())
        made = self.make_stores()
        self.webhook_endpoints: list[Endpoint] = []
        self.webhook_receiver = FakeWebhookReceiver()
        stores = replace(
            made,
            spaces=EventfulSpaceStore(
                store=made.spaces,
                effects=self.effects,
                now=self.clock,
                wants=lambda event: any(e.wants(event) for e in self.webhook_endpoints),
            ),
        )
        self.webhooks = WebhookService(
            spaces=stores.spaces,
            endpoints=self.webhook_endpoints,
            sender=self.webhook_receiver,
            effects=self.effects,
            now=self.clock,
            public_url=PUBLIC_URL,
        )
        self.recording = RecordingWorld(
            stores.recordings,
            proof_key=a_private_key(),
            effects=self.effects,
            clock=self.clock,
            public_url=PUBLIC_URL,
        )
        self.profiles = ProfileService(profiles=stores.profiles, now=self.clock)
        self.spaces = SpaceService(
            spaces=stores.spaces,
            profiles=stores.profiles,
            finder=stores.space_finder,
            effects=self.effects,
            now=self.clock,
            new_space_id=random_space_id,
        )
        self.membership = MembershipService(
            members=stores.members,
            subscribers=stores.subscribers,
            grants=self.signer,
            asks=RecordingAsks(effects=self.effects, now=self.clock),
            now=self.clock,
            new_token=random_token,
            notice=self.recording.notice,
        )
        self.media = MediaService(
            spaces=stores.spaces,
            grants=self.signer,
            workers=self.workers,
            now=self.clock,
            relays=self.relay_limits,
        )
        self.listening = ListeningWorld(
            stores.spaces, self.signer, self.workers, self.effects, self.clock
        )
        self.reacting = ReactionService(
            spaces=stores.spaces,
            grants=self.signer,
            workers=self.workers,
            now=self.clock,
            monotonic=lambda: self.clock().timestamp(),
            sleep=self.clock.advance,
        )
        self.subscribers = stores.subscribers
        self.announcing = AnnouncingService(
            spaces=stores.spaces,
            subscribers=stores.subscribers,
            personal=PersonalNews(invites=stores.invites, members=stores.members),
            devices=stores.devices,
            fan_outs=stores.fan_outs,
            open_pushes=lambda: self.pushes,
            effects=self.effects,
            now=self.clock,
            new_token=random_token,
            public_url=PUBLIC_URL,
        )
        self.schedule = ScheduleTasks(
            spaces=stores.spaces,
            subscribers=stores.subscribers,
            announcing=self.announcing,
            effects=self.effects,
            now=self.clock,
        )
        self.reminders = ReminderService(
            spaces=stores.spaces,
            subscribers=stores.subscribers,
            effects=self.effects,
            now=self.clock,
        )
        self.recording_tasks = self.recording.tasks(self.launcher, self.announcing)
        self.erasure = ErasureService(
            accounts=stores.accounts,
            spaces=stores.spaces,
            registrations=stores.registrations,
            reminders=self.reminders,
            effects=self.effects,
            now=self.clock,
            unname=self.recording.consents.unname,
            voices=(self.recording.consents.forget,),
        )
        self.upkeep = UpkeepService(
            spaces=stores.spaces,
            launches=stores.launches,
            launcher=self.launcher,
            effects=self.effects,
            now=self.clock,
            finder=stores.space_finder,
            tell_live=self.schedule.live,
            space_over=(
                self.recording_tasks.space_over,
                self.listening.edge.space_over,
            ),
            mend_live_edge=self.listening.edge.mend,
            mend_recordings=self.recording_tasks.mend,
            place_relays=RelayService(
                store=stores.relays,
                launcher=self.launcher,
                grants=self.signer,
                now=self.clock,
                limits=self.relay_limits,
            ).look,
        )
        self.stage = StageService(
            members=stores.members,
            stage=stores.stage,
            asks=self.membership.asks,
            effects=self.effects,
            now=self.clock,
        )
        self.invites = InviteService(
            spaces=stores.spaces,
            invites=stores.invites,
            asks=self.membership.asks,
            effects=self.effects,
            now=self.clock,
        )
        self.editing = EditingService(
            spaces=stores.spaces, effects=self.effects, now=self.clock
        )
        self.reporting = ReportService(
            reports=stores.reports, now=self.clock, new_token=random_token
        )
        self.relations = RelationService(
            relations=stores.relations,
            invites=stores.invites,
            grants=self.signer,
            now=self.clock,
        )
        self.suspended = SuspendedPeople(
            stores.suspensions, lambda: self.clock().timestamp()
        )
        self.shutting_out = ShuttingOut(
            spaces=stores.spaces,
            members=stores.members,
            profiles=stores.profiles,
            grants=self.signer,
            suspensions=stores.suspensions,
            effects=self.effects,
            now=self.clock,
        )
        self.operating = OperatorService(
            spaces=stores.spaces,
            suspensions=stores.suspensions,
            suspended=self.suspended,
            desk=stores.desk,
            effects=self.effects,
            now=self.clock,
        )
        self.registering = DeviceService(registrations=stores.registrations)
        self.discovery = DiscoveryService(
            spaces=stores.space_finder, people=stores.people_finder, now=self.clock
        )
        self.web_shell = FakeWebShell()
        self.web_app: WebApp | None = None
        self.people_search = PeopleSearchService(people=stores.people_finder)
        self.limiter = RateLimiter(self.limits, lambda: self.clock().timestamp())

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """All that clients can ask for."""
        return operations_of(self)

    @cached_property
    def api(self) -> flask.Flask:
        """The clients' application."""
        return api_of(self)

    @cached_property
    def tasks(self) -> flask.Flask:
        """The task queue's application, which few tests need."""
        return tasks_of(self)

    @property
    def watchdogs(self) -> list[str]:
        """The names of all looks that are due."""
        return [name for name in self.effects.names if name.startswith("watchdog-")]

    # Without cookies a client remembers nothing from one call to the next.
    @cached_property
    def _clients(self) -> FlaskClient:
        return self.api.test_client(use_cookies=False)

    @cached_property
    def _queues(self) -> FlaskClient:
        return self.tasks.test_client(use_cookies=False)

    def make_stores(self) -> Stores:
        """Return the stores; a world on another technology has others."""
        return Stores(
            spaces=MemorySpaceStore(self.database, self.clock),
            members=MemoryMemberStore(self.database),
            profiles=MemoryProfileStore(self.database),
            launches=self.launches,
            relays=self.relays,
            stage=MemoryStageStore(self.database),
            invites=MemoryInviteStore(self.database),
            reports=self.reports,
            relations=MemoryRelationStore(self.database),
            registrations=self.registrations,
            subscribers=MemorySubscriberStore(self.database),
            devices=self.devices,
            fan_outs=MemoryFanOutStore(),
            accounts=MemoryAccountStore(self.database),
            suspensions=self.suspensions,
            desk=self.reports,
            space_finder=MemorySpaceFinder(self.database),
            people_finder=MemoryPeopleFinder(self.database),
            recordings=MemoryRecordingStore(self.database, self.clock),
        )

    def make_effects(self) -> EffectLog:
        """Return the queue, which goes with the stores."""
        return EffectLog(self.database)

    def call(
        self, method: str, path: str, *, as_user: str | None = None, **kwargs: Any
    ) -> TestResponse:
        """Call the API, signed in as `as_user` where that is given."""
        headers = dict(kwargs.pop("headers", {}))
        if as_user is not None:
            headers["Authorization"] = f"Bearer uid:{as_user}"
        return self._clients.open(path, method=method, headers=headers, **kwargs)

    def task(self, name: str, body: Any) -> TestResponse:
        """Call as the task queue does."""
        headers = {"Authorization": "Bearer queue"}
        return self._queues.post(f"/tasks/{name}", json=body, headers=headers)

    def post_sdp(
        self, path: str, grant: Grant | str, sdp: bytes, **headers: str
    ) -> TestResponse:
        """POST an offer with a grant, or with any token."""
        token = grant if isinstance(grant, str) else self.signer.sign_grant(grant)
        return self.call(
            "POST",
            path,
            data=sdp,
            content_type="application/sdp",
            headers={"Authorization": f"Bearer {token}", **headers},
        )


def code_of(response: TestResponse) -> str:
    """Return the code of a problem, having checked that it is one."""
    body = response.get_json()
    assert response.content_type == "application/problem+json"
    assert body["status"] == response.status_code
    assert body.keys() >= {"type", "title", "status", "detail"}
    return str(body["type"]).removeprefix("https://parley.dev/problems/")

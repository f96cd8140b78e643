"""The functions' two applications, over the services of a `World`."""

from typing import TYPE_CHECKING

import flask

from spaces.http import (
    account,
    admin,
    client_app,
    discovery,
    editing,
    invites,
    media,
    people,
    people_search,
    profiles,
    reactions,
    reminders,
    share,
    spaces,
    speak_requests,
    suspension,
    well_known,
    x_api,
)
from spaces.http.app import api_app
from spaces.http.operations import Operation
from spaces.http.routes import Section
from spaces.http.tasks import (
    erasure_route,
    live_edge_route,
    shut_out_route,
    webhook_routes,
)
from spaces.http.tasks_app import tasks_app
from tests.fakes import FakeTaskTokens
from tests.listening_world import ICE_SERVERS

if TYPE_CHECKING:  # a world imports this to make its applications
    from tests.world import World

ADMIN_KEY = "an-operators-key-of-enough-characters"
PUBLIC_URL = "https://parley.example"
ORIGINS = frozenset({"https://app.example"})
APPLE_APP_IDS = ("ABCDE12345.example.parley",)
ANDROID_APPS = {"example.parley": (":".join(["AB"] * 32),)}


def operations_of(world: "World") -> tuple[Operation, ...]:
    """Return all that clients can ask for."""
    return (
        *profiles.operations(world.profiles),
        *people.operations(
            world.relations, world.registering, world.capabilities, world.clock
        ),
        *people_search.operations(world.people_search),
        *discovery.operations(world.discovery, PUBLIC_URL),
        *x_api.operations(world.discovery),
        *spaces.operations(world.spaces, PUBLIC_URL),
        *share.operations(world.spaces, world.web_shell, PUBLIC_URL),
        *well_known.operations(APPLE_APP_IDS, ANDROID_APPS, world.web_app),
        *editing.operations(world.editing, world.reporting, PUBLIC_URL),
        *speak_requests.operations(world.stage, PUBLIC_URL),
        *invites.operations(world.invites, PUBLIC_URL, world.limiter.invite),
        *reminders.operations(world.reminders),
        *world.listening.operations(
            world.membership, PUBLIC_URL, world.capabilities, world.limiter
        ),
        *media.operations(
            world.media, PUBLIC_URL, lambda: ICE_SERVERS, world.limiter.open
        ),
        *reactions.operations(world.reacting, world.limiter.react),
        *admin.operations(
            admin.AdminResource(
                world.operating, world.profiles, world.relations, PUBLIC_URL
            ),
            {ADMIN_KEY},
        ),
        *account.operations(world.erasure),
        *world.recording.operations(),
    )


def api_of(world: "World") -> flask.Flask:
    """Return the clients' application."""
    return api_app(
        [Section("/", lambda: world.operations)],
        id_tokens=world.id_tokens,
        cors_origins=ORIGINS,
        public_url=PUBLIC_URL,
        guards=(
            world.limiter,
            suspension.guard(world.suspended),
            client_app.guard(world.capabilities),
        ),
    )


def tasks_of(world: "World") -> flask.Flask:
    """Return the task queue's application."""
    return tasks_app(
        world.upkeep,
        world.schedule,
        world.announcing,
        world.recording_tasks,
        FakeTaskTokens(),
        (
            erasure_route(world.erasure),
            shut_out_route(world.shutting_out),
            live_edge_route(world.listening.edge),
            *webhook_routes(world.webhooks),
        ),
    )

"""The composition root of the clients' API: what all of it shares, and its sections."""

import functools
import time
from collections.abc import Mapping
from importlib import import_module
from typing import Final

import flask

from spaces_tracing.spans import install

from .adapters.firebase_app_check import FirebaseAppCheck
from .adapters.firebase_auth import FirebaseIdTokens
from .adapters.firestore.client import BoundedClient
from .adapters.firestore.suspensions import FirestoreSuspensionStore
from .adapters.signed_tokens import Ed25519Signer
from .config import Config
from .environment import ConfigError
from .http import app_check, client_address, client_app, suspension
from .http.app import api_app
from .http.json_log import configure_logging
from .http.operations import Operation
from .http.rate_limits import Limits, RateLimiter, with_defaults
from .http.routes import Section
from .sections import hosting
from .sections.parts import Parts
from .service.ports import AppCheck
from .service.suspended import SuspendedPeople
from .shared_parts import effect_queue, eventful_spaces

# Of `sections`, with the paths of each.  An instance loads those that it is asked
# for: to load all of them would be a quarter of a cold start.
LATER: Final = {
    "operators": "/v1/admin/",
    "x_api": "/2/",
    "pages": r"/s/|/\.well-known/(apple|assetlinks|parley-web)",
    "recordings": r"/v1/(recordings|me/receipts|spaces/[^/]+/recording)"
    r"|/\.well-known/parley",
    "stage": "/v1/(me/inbox|spaces/[^/]+/(speak-requests|invites|mute-all))",
    "people": "/v1/(users/|me/?$|me/(?!spaces))",
    "spaces": "/v1/spaces/[^/]+/(?!((start|end|reports)/?)?$)",
}


def build_api(env: Mapping[str, str]) -> flask.Flask:
    """
    Return the API of clients; opens no connection yet.

    Raises:
        ConfigError: `env` lacks something, or has what it must not.
    """
    configure_logging(env.get("PARLEY_PROJECT_ID"))
    install(env, "parley-functions")
    config = Config.from_env(env)
    local = config.local
    parts = parts_of(config)
    return api_app(
        sections(parts),
        id_tokens=FirebaseIdTokens(
            config.project_id, certs_url=local.id_token_certs_url if local else None
        ),
        cors_origins=config.cors_origins,
        public_url=config.public_url,
        guards=(
            parts.limiter,
            app_check.guard(_app_check(config)),
            suspension.guard(parts.suspended),
            client_app.guard(config.capabilities),
        ),
        first=client_address.limiter(parts.limiter.address, config.proxies),
    )


def parts_of(config: Config) -> Parts:
    """Return what all sections of a deployment share; raises ConfigError."""
    client = BoundedClient(project=config.project_id)
    effects = effect_queue(config, client)
    return Parts(
        config=config,
        client=client,
        effects=effects,
        signer=Ed25519Signer(config.grant_private_key),
        spaces=eventful_spaces(config, client, effects),
        limiter=RateLimiter(_rate_limits(config)),
        suspended=SuspendedPeople(FirestoreSuspensionStore(client), time.monotonic),
    )


def sections(parts: Parts) -> tuple[Section, ...]:
    """Return all of the API; each path belongs to the first section that covers it."""
    later = (
        Section(covers, functools.partial(_load, name, parts))
        for name, covers in LATER.items()
    )
    return (*later, Section("/", lambda: hosting.operations(parts)))


def _load(name: str, parts: Parts) -> tuple[Operation, ...]:
    section = import_module(f".sections.{name}", __package__)
    operations: tuple[Operation, ...] = section.operations(parts)
    return operations


def _app_check(config: Config) -> AppCheck | None:
    if not config.app_check_ids:
        return None
    return FirebaseAppCheck(config.project_id, config.app_check_ids)


def _rate_limits(config: Config) -> Limits:
    try:
        return with_defaults(config.rate_limits)
    except ValueError as error:
        raise ConfigError(f"PARLEY_RATE_LIMITS: {error}") from None

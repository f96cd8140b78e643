"""Configuration of the functions, all of it from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from .domain.capability import Capability, CapabilityTable, version_of
from .domain.relays import RelayLimits
from .domain.token_bucket import RateLimit
from .domain.webhook import Endpoint
from .environment import EnvironmentReader
from .ice_config import IceConfig, read_ice
from .launcher_config import LauncherConfig, ProcessConfig, read_launcher
from .live_config import LiveConfig, read_live
from .pages_config import PagesConfig, read_pages
from .recording_config import RecordingConfig, read_recording
from .webhook_config import read_webhooks

LOCAL_PREFIX: Final = "PARLEY_LOCAL_"
MIN_ADMIN_KEY_CHARS: Final = 32
MAX_PROXIES: Final = 5
FIRESTORE_EMULATOR: Final = "FIRESTORE_EMULATOR_HOST"
FIREBASE_APP_ID: Final = re.compile(r"1:[0-9]{1,20}:(ios|android|web):[0-9a-f]{1,64}")


class Environment(StrEnum):
    """Where the functions run."""

    LOCAL = "local"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalConfig:
    """Where the embedded cloud listens."""

    tasks_host: str
    id_token_certs_url: str
    oidc_certs_url: str
    fcm_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    Everything that differs from one deployment to another.

    Args:
        public_url: Where clients reach us, without a slash at the end.
        cors_origins: Origins of web clients elsewhere; "*" is any.
        grant_private_key: Ed25519, PEM.
        admin_keys: Of operators; several, so that one can take another's place.
        proxies: How many of ours requests come through; 0: nobody's address is known.
        app_check_ids: Firebase app ids that may call; empty: App Check is not asked.
        capabilities: Which app versions can do what; empty: all can do all.
        rate_limits: By the names of `http.rate_limits.Scope`; over the defaults.
        relays: When a Space gets more workers than one.
        pages: What share pages and apps need.
        launcher: Who starts workers; only the task functions ask.
        local: Where the embedded cloud is; None in production.
    """

    project_id: str
    public_url: str
    live: LiveConfig
    cors_origins: frozenset[str]
    grant_private_key: str
    tasks_queue: str
    tasks_target_url: str
    tasks_service_account: str
    tasks_audience: str
    ice: IceConfig
    proxies: int
    app_check_ids: frozenset[str]
    capabilities: CapabilityTable
    rate_limits: Mapping[str, RateLimit]
    relays: RelayLimits
    pages: PagesConfig
    admin_keys: frozenset[str]
    webhooks: tuple[Endpoint, ...]
    launcher: LauncherConfig
    recording: RecordingConfig
    local: LocalConfig | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """
        Read the environment.

        Raises:
            ConfigError: names all that is missing, wrong, or not allowed there.
        """
        reader = EnvironmentReader(env)
        environment = _environment(reader)
        production = environment is Environment.PRODUCTION
        launcher = read_launcher(reader, production=production)
        public_url = reader.text("PARLEY_PUBLIC_URL").rstrip("/")
        config = cls(
            project_id=reader.text("PARLEY_PROJECT_ID"),
            public_url=public_url,
            live=read_live(reader, public_url=public_url),
            cors_origins=reader.words("PARLEY_CORS_ORIGINS"),
            grant_private_key=reader.text("PARLEY_GRANT_PRIVATE_KEY"),
            tasks_queue=reader.text("PARLEY_TASKS_QUEUE"),
            tasks_target_url=reader.text("PARLEY_TASKS_TARGET_URL").rstrip("/"),
            tasks_service_account=reader.text("PARLEY_TASKS_SERVICE_ACCOUNT"),
            tasks_audience=reader.text("PARLEY_TASKS_AUDIENCE"),
            ice=read_ice(reader),
            proxies=reader.json(
                "PARLEY_TRUSTED_PROXIES", _proxies, default="0", form="2"
            )
            or 0,
            app_check_ids=reader.json(
                "PARLEY_APP_CHECK",
                _app_check_ids,
                default="[]",
                form='["1:1234567890:ios:abc123", …]',
            )
            or frozenset(),
            capabilities=reader.json(
                "PARLEY_CAPABILITIES",
                _capabilities,
                default="{}",
                form='{"ios": {"host": "1.2.0", "record": null}}',
            )
            or {},
            rate_limits=reader.json(
                "PARLEY_RATE_LIMITS",
                _rate_limits,
                default="{}",
                form='{"user": {"burst": 120, "per_s": 20}}',
            )
            or {},
            relays=reader.json(
                "PARLEY_RELAYS",
                _relays,
                default="{}",
                form='{"from_share": 0.8, "most": 16}',
            )
            or RelayLimits(),
            pages=read_pages(reader, public_url=public_url),
            admin_keys=_admin_keys(reader),
            webhooks=read_webhooks(reader, production=production),
            launcher=launcher or ProcessConfig(url="", token=""),
            recording=read_recording(reader, local=environment is Environment.LOCAL),
            local=_local(reader) if environment is Environment.LOCAL else None,
        )
        if production:
            _refuse_local_names(reader)
        reader.raise_complaints()
        return config


def _environment(reader: EnvironmentReader) -> Environment | None:
    value = reader.text("PARLEY_ENVIRONMENT")
    try:
        return Environment(value)
    except ValueError:
        if value:
            reader.complain(f"PARLEY_ENVIRONMENT cannot be {value!r}")
        return None


def _admin_keys(reader: EnvironmentReader) -> frozenset[str]:
    """Read keys with commas; where there is none, nobody is an operator."""
    words = reader.env.get("PARLEY_ADMIN_KEYS", "").split(",")
    keys = frozenset(word.strip() for word in words if word.strip())
    if any(len(key) < MIN_ADMIN_KEY_CHARS for key in keys):
        complaint = f"have at least {MIN_ADMIN_KEY_CHARS} characters"
        reader.complain(f"PARLEY_ADMIN_KEYS must each {complaint}")
    return keys


def _proxies(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_PROXIES:
        raise ValueError(value)
    return value


def _app_check_ids(entries: Any) -> frozenset[str]:
    """Read Firebase app ids."""
    if not isinstance(entries, list):
        raise TypeError(entries)
    if not all(FIREBASE_APP_ID.fullmatch(entry) for entry in entries):
        raise ValueError(entries)
    return frozenset(entries)


def _capabilities(rows: Any) -> CapabilityTable:
    """Read {platform or "*": {capability: "1.2.3" or null}}."""
    table = {
        platform: {Capability(able): minimum for able, minimum in row.items()}
        for platform, row in rows.items()
    }
    for row in table.values():
        for minimum in row.values():
            version_of(minimum or "0")
    return table


def _rate_limits(rows: Any) -> Mapping[str, RateLimit]:
    """Read {scope: {"burst": 20, "per_s": 1}}; more than nothing of each."""
    limits = {
        scope: RateLimit(float(row["burst"]), float(row["per_s"]))
        for scope, row in rows.items()
    }
    if any(each.burst < 1 or each.per_s <= 0 for each in limits.values()):
        raise ValueError(rows)
    return limits


def _relays(row: Any) -> RelayLimits:
    """Read {"from_share": 0.8, "most": 16}, or what of it differs from that."""
    return RelayLimits(**row)


def _local(reader: EnvironmentReader) -> LocalConfig:
    reader.text(FIRESTORE_EMULATOR)  # read by the Firestore client itself
    return LocalConfig(
        tasks_host=reader.text("PARLEY_LOCAL_TASKS_HOST"),
        id_token_certs_url=reader.text("PARLEY_LOCAL_ID_TOKEN_CERTS_URL"),
        oidc_certs_url=reader.text("PARLEY_LOCAL_OIDC_CERTS_URL"),
        fcm_url=reader.text("PARLEY_LOCAL_FCM_URL").rstrip("/"),
    )


def _refuse_local_names(reader: EnvironmentReader) -> None:
    for name in sorted(reader.env):
        if name.startswith(LOCAL_PREFIX) or name == FIRESTORE_EMULATOR:
            reader.complain(f"{name} is not allowed in production")

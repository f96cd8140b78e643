"""Configuration of the functions, all of it from the environment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .domain.capability import Capability, CapabilityTable, version_of
from .domain.token_bucket import RateLimit
from .service.media import IceServer

LOCAL_PREFIX: Final = "PARLEY_LOCAL_"
FIRESTORE_EMULATOR: Final = "FIRESTORE_EMULATOR_HOST"
# Makes firebase-admin accept unsigned tokens: never, not even on a laptop.
UNSIGNED_TOKENS: Final = "FIREBASE_AUTH_EMULATOR_HOST"


class ConfigError(Exception):
    """The environment does not make a configuration; the message says all of why."""


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
    launcher_url: str
    launcher_token: str
    fcm_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    Everything that differs from one deployment to another.

    Args:
        public_url: Where clients reach us, without a slash at the end.
        cors_origins: Origins of web clients elsewhere; "*" is any.
        grant_private_key: Ed25519, PEM.
        capabilities: Which app versions can do what; empty: all can do all.
        rate_limits: By the names of `http.rate_limits.Scope`; over the defaults.
        local: Where the embedded cloud is; None in production.
    """

    project_id: str
    public_url: str
    cors_origins: frozenset[str]
    grant_private_key: str
    tasks_queue: str
    tasks_target_url: str
    tasks_service_account: str
    tasks_audience: str
    ice_servers: tuple[IceServer, ...]
    capabilities: CapabilityTable
    rate_limits: Mapping[str, RateLimit]
    local: LocalConfig | None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Config":
        """
        Read the environment.

        Raises:
            ConfigError: names all that is missing, wrong, or not allowed there.
        """
        reader = _Reader(env)
        environment = reader.environment()
        config = cls(
            project_id=reader.text("PARLEY_PROJECT_ID"),
            public_url=reader.text("PARLEY_PUBLIC_URL").rstrip("/"),
            cors_origins=reader.words("PARLEY_CORS_ORIGINS"),
            grant_private_key=reader.text("PARLEY_GRANT_PRIVATE_KEY"),
            tasks_queue=reader.text("PARLEY_TASKS_QUEUE"),
            tasks_target_url=reader.text("PARLEY_TASKS_TARGET_URL").rstrip("/"),
            tasks_service_account=reader.text("PARLEY_TASKS_SERVICE_ACCOUNT"),
            tasks_audience=reader.text("PARLEY_TASKS_AUDIENCE"),
            ice_servers=reader.ice_servers("PARLEY_ICE_SERVERS"),
            capabilities=reader.capabilities("PARLEY_CAPABILITIES"),
            rate_limits=reader.rate_limits("PARLEY_RATE_LIMITS"),
            local=reader.local() if environment is Environment.LOCAL else None,
        )
        if environment is Environment.PRODUCTION:
            reader.refuse_local_names()
        reader.refuse_unknown_launcher("PARLEY_LAUNCHER", environment)
        reader.raise_complaints()
        return config


class _Reader:
    """Reads names one by one and keeps what is wrong for the end."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._missing: list[str] = []
        self._wrong: list[str] = []
        if UNSIGNED_TOKENS in env:
            self._wrong.append(f"{UNSIGNED_TOKENS} must not be set")

    def text(self, name: str) -> str:
        value = self._env.get(name, "").strip()
        if not value:
            self._missing.append(name)
        return value

    def words(self, name: str) -> frozenset[str]:
        return frozenset(word.strip() for word in self.text(name).split(","))

    def environment(self) -> Environment | None:
        value = self.text("PARLEY_ENVIRONMENT")
        try:
            return Environment(value)
        except ValueError:
            if value:
                self._wrong.append(f"PARLEY_ENVIRONMENT cannot be {value!r}")
            return None

    def ice_servers(self, name: str) -> tuple[IceServer, ...]:
        """Read a JSON list like RTCConfiguration's; none where it is not set."""
        try:
            entries = json.loads(self._env.get(name) or "[]")
            return tuple(
                IceServer(
                    urls=tuple(str(url) for url in entry["urls"]),
                    username=entry.get("username"),
                    credential=entry.get("credential"),
                )
                for entry in entries
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            self._wrong.append(f'{name} must be JSON: [{{"urls": ["stun:…"]}}, …]')
            return ()

    def capabilities(self, name: str) -> CapabilityTable:
        """Read JSON: {platform or "*": {capability: "1.2.3" or null}}."""
        try:
            rows = json.loads(self._env.get(name) or "{}")
            table = {
                platform: {Capability(able): minimum for able, minimum in row.items()}
                for platform, row in rows.items()
            }
            for row in table.values():
                for minimum in row.values():
                    version_of(minimum or "0")
            return table
        except (ValueError, TypeError, AttributeError):
            self._wrong.append(
                f'{name} must be JSON: {{"ios": {{"host": "1.2.0", "record": null}}}}'
            )
            return {}

    def rate_limits(self, name: str) -> Mapping[str, RateLimit]:
        """Read JSON: {scope: {"burst": 20, "per_s": 1}}; more than nothing of each."""
        try:
            limits = {
                scope: RateLimit(float(row["burst"]), float(row["per_s"]))
                for scope, row in json.loads(self._env.get(name) or "{}").items()
            }
            if any(each.burst < 1 or each.per_s <= 0 for each in limits.values()):
                raise ValueError(name)
            return limits
        except (ValueError, TypeError, KeyError, AttributeError):
            self._wrong.append(
                f'{name} must be JSON: {{"user": {{"burst": 120, "per_s": 20}}}}'
            )
            return {}

    def local(self) -> LocalConfig:
        self.text(FIRESTORE_EMULATOR)  # read by the Firestore client itself
        return LocalConfig(
            tasks_host=self.text("PARLEY_LOCAL_TASKS_HOST"),
            id_token_certs_url=self.text("PARLEY_LOCAL_ID_TOKEN_CERTS_URL"),
            oidc_certs_url=self.text("PARLEY_LOCAL_OIDC_CERTS_URL"),
            launcher_url=self.text("PARLEY_LOCAL_LAUNCHER_URL"),
            launcher_token=self.text("PARLEY_LOCAL_LAUNCHER_TOKEN"),
            fcm_url=self.text("PARLEY_LOCAL_FCM_URL").rstrip("/"),
        )

    def refuse_local_names(self) -> None:
        self._wrong.extend(
            f"{name} is not allowed in production"
            for name in sorted(self._env)
            if name.startswith(LOCAL_PREFIX) or name == FIRESTORE_EMULATOR
        )

    def refuse_unknown_launcher(
        self, name: str, environment: Environment | None
    ) -> None:
        launcher = self.text(name)
        # The one launcher there is needs the supervisor of the embedded stack.
        if launcher and (
            launcher != "process" or environment is Environment.PRODUCTION
        ):
            self._wrong.append(f"{name} cannot be {launcher!r} here")

    def raise_complaints(self) -> None:
        complaints = list(self._wrong)
        if self._missing:
            complaints.insert(0, f"missing: {', '.join(self._missing)}")
        if complaints:
            raise ConfigError("; ".join(complaints))

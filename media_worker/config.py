"""What a worker is told by its environment; the only place that reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from spaces_contract.ids import SPACE_ID_PATTERN

from .egress.processes.placement import LISTENERS_PER_PROCESS

REQUIRED: Final = (
    "PARLEY_PROJECT_ID",
    "PARLEY_SPACE_ID",
    "PARLEY_EPOCH",
    "PARLEY_GRANT_PUBLIC_KEY",
    "PARLEY_CONTROL_BIND",
    "PARLEY_UDP_ENDPOINTS",
    "PARLEY_LIVE_EDGE_URL",
)

# Where a room is large: packets of 60 ms cost a listener 40 ms of delay.
LONG_FRAMES_FROM: Final = 500
# A smaller room needs no process beside its own.
EGRESS_FROM: Final = 200

ROOM: Final = "room"  # values of PARLEY_WORKLOAD
RELAY: Final = "relay"

# All of them, or none: without them nothing can be recorded.
RECORDING: Final = (
    "PARLEY_RECORDINGS_URL",
    "PARLEY_RECORDING_KEYS_URL",
    "PARLEY_KEY_ENCRYPTION_URL",
    "PARLEY_SPOOL_DIR",
)

Address = tuple[str, int]


class ConfigError(Exception):
    """The environment does not describe a worker; says all that is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpEndpoint:
    """One UDP port: where to bind it, and what clients are told."""

    bind: Address
    announced: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingConfig:
    """
    Where recordings go.

    Args:
        recordings_url: An object store's URL, for stems and what is made of them.
        keys_url: Another's, without soft delete or versioning, for wrapped keys.
        key_encryption_url: What wraps them, e.g. "file:///…/keys.json".
        spool_dir: Local folder that outlives the process.
    """

    recordings_url: str
    keys_url: str
    key_encryption_url: str
    spool_dir: Path

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self | None:
        """
        Read the environment; None where it names no recordings.

        Raises:
            ConfigError: it names some of `RECORDING` only, or one store for both.
        """
        missing = [name for name in RECORDING if not env.get(name)]
        if len(missing) == len(RECORDING):
            return None
        if missing:
            raise ConfigError(f"missing: {', '.join(missing)}")
        if env["PARLEY_RECORDINGS_URL"] == env["PARLEY_RECORDING_KEYS_URL"]:
            raise ConfigError("PARLEY_RECORDING_KEYS_URL must be a store of its own")
        return cls(
            recordings_url=env["PARLEY_RECORDINGS_URL"],
            keys_url=env["PARLEY_RECORDING_KEYS_URL"],
            key_encryption_url=env["PARLEY_KEY_ENCRYPTION_URL"],
            spool_dir=Path(env["PARLEY_SPOOL_DIR"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """
    One worker's settings.

    Args:
        emulator_host: "host:port" of an embedded Firestore, or None for Google's.
        control_url: Private address that functions reach; None is the bound one.
        udp_endpoints: The room's own, and one for each egress process.
        live_edge_url: An object store's URL.
        live_keys_url: Another store's, for keys of HLS that a CDN serves; None: none.
        recording: Where recordings go; None: nothing can be recorded.
        long_frames_from: Listeners from which on they get packets of 60 ms.
        egress_from: Listeners from which on more go to egress processes.
        session_capacity: Sessions from which on listeners are sent to HLS.
        relay: The number of the relay that we are; None: the Space's own worker.
    """

    project_id: str
    emulator_host: str | None
    space_id: str
    epoch: int
    grant_public_key: str
    control_bind: Address
    control_url: str | None
    udp_endpoints: tuple[UdpEndpoint, ...]
    live_edge_url: str
    live_keys_url: str | None = None
    recording: RecordingConfig | None = None
    long_frames_from: int = LONG_FRAMES_FROM
    egress_from: int = EGRESS_FROM
    session_capacity: int = LISTENERS_PER_PROCESS
    relay: int | None = None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """
        Read and check the environment.

        Raises:
            ConfigError: names are missing, all of them told, or a value is wrong.
        """
        missing = [name for name in REQUIRED if not env.get(name)]
        if missing:
            raise ConfigError(f"missing: {', '.join(missing)}")
        udp_endpoints = _udp_endpoints(env["PARLEY_UDP_ENDPOINTS"])
        # With processes of their own for listeners, the room's takes few.
        capacity = LISTENERS_PER_PROCESS * max(1, len(udp_endpoints) - 1)
        return cls(
            project_id=env["PARLEY_PROJECT_ID"],
            emulator_host=env.get("FIRESTORE_EMULATOR_HOST") or None,
            space_id=_space_id(env["PARLEY_SPACE_ID"]),
            epoch=_epoch(env["PARLEY_EPOCH"]),
            grant_public_key=env["PARLEY_GRANT_PUBLIC_KEY"],
            control_bind=_address("PARLEY_CONTROL_BIND", env["PARLEY_CONTROL_BIND"]),
            control_url=env.get("PARLEY_CONTROL_URL") or None,
            udp_endpoints=udp_endpoints,
            live_edge_url=env["PARLEY_LIVE_EDGE_URL"],
            live_keys_url=_live_keys_url(env),
            recording=RecordingConfig.from_env(env),
            long_frames_from=_count(env, "PARLEY_LONG_FRAMES_FROM", LONG_FRAMES_FROM),
            egress_from=_count(env, "PARLEY_EGRESS_FROM", EGRESS_FROM),
            session_capacity=_count(env, "PARLEY_SESSION_CAPACITY", capacity),
            relay=_relay(env),
        )


def _space_id(text: str) -> str:
    if not SPACE_ID_PATTERN.fullmatch(text):
        raise ConfigError("PARLEY_SPACE_ID is no Space's id")
    return text


def _epoch(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError("PARLEY_EPOCH must be a number from 1")
    return int(text)


def _live_keys_url(env: Mapping[str, str]) -> str | None:
    url = env.get("PARLEY_LIVE_KEYS_URL") or None
    if url == env["PARLEY_LIVE_EDGE_URL"]:
        raise ConfigError("PARLEY_LIVE_KEYS_URL must be a store of its own")
    return url


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name) or str(default)
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"{name} must be a number from 1")
    return int(text)


def _relay(env: Mapping[str, str]) -> int | None:
    kind, index = env.get("PARLEY_WORKLOAD") or ROOM, env.get("PARLEY_RELAY_INDEX", "")
    if kind not in (ROOM, RELAY):
        raise ConfigError(f"PARLEY_WORKLOAD must be {ROOM} or {RELAY}")
    if kind == ROOM:
        return None
    if not index.isdecimal():
        raise ConfigError("PARLEY_RELAY_INDEX must be a number from 0")
    return int(index)


def _address(name: str, text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ConfigError(f"{name} must be host:port, not {text!r}")
    return host.strip("[]"), int(port)


def _udp_endpoints(text: str) -> tuple[UdpEndpoint, ...]:
    name = "PARLEY_UDP_ENDPOINTS"
    try:
        endpoints = tuple(
            UdpEndpoint(
                bind=_address(name, pair["bind"]),
                announced=_address(name, pair["announced"]),
            )
            for pair in json.loads(text)
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{name} must be a list of bind and announced") from error
    if not endpoints:
        raise ConfigError(f"{name} must not be empty")
    return endpoints

"""Configuration: all that is wrong at once, and nothing local in production."""

import json

import pytest

from spaces.adapters.launchers.settings import (
    AgonesSettings,
    ContainerSettings,
    KubernetesApi,
)
from spaces.config import Config
from spaces.domain.relays import RelayLimits
from spaces.environment import ConfigError
from spaces.service.ice_servers import Turn
from spaces.service.media import IceServer

LOCAL = {
    "PARLEY_ENVIRONMENT": "local",
    "PARLEY_PROJECT_ID": "demo-parley",
    "PARLEY_PUBLIC_URL": "http://127.0.0.1:8080/",
    "PARLEY_CORS_ORIGINS": "https://a.example, https://b.example",
    "PARLEY_GRANT_PRIVATE_KEY": "pem",
    "PARLEY_TASKS_QUEUE": "projects/demo-parley/locations/local/queues/parley",
    "PARLEY_TASKS_TARGET_URL": "http://127.0.0.1:8080",
    "PARLEY_TASKS_SERVICE_ACCOUNT": "tasks@demo-parley.iam.gserviceaccount.com",
    "PARLEY_TASKS_AUDIENCE": "http://127.0.0.1:8080/tasks",
    "PARLEY_LAUNCHER": "process",
    "FIRESTORE_EMULATOR_HOST": "127.0.0.1:8081",
    "PARLEY_LOCAL_TASKS_HOST": "127.0.0.1:8082",
    "PARLEY_LOCAL_ID_TOKEN_CERTS_URL": "http://127.0.0.1:8080/local/id-token-certs",
    "PARLEY_LOCAL_OIDC_CERTS_URL": "http://127.0.0.1:8080/local/oidc-certs",
    "PARLEY_LOCAL_LAUNCHER_URL": "http://127.0.0.1:8083",
    "PARLEY_LOCAL_LAUNCHER_TOKEN": "token",
    "PARLEY_LOCAL_FCM_URL": "http://127.0.0.1:9/local/fcm",
    "PARLEY_LIVE_EDGE_URL": "file:///nowhere/live",
    "PARLEY_RECORDINGS_URL": "file:///nowhere/recordings",
    "PARLEY_RECORDING_KEYS_URL": "file:///nowhere/keys",
    "PARLEY_PROOF_PRIVATE_KEY": "pem",
    "PARLEY_LOCAL_PLAYBACK_SECRET": "secret",
}

WEB_APP = '{"api_key": "k", "app_id": "1:2", "project_id": "p", "sender_id": "2"}'


def test_a_local_environment_is_read() -> None:
    """
    Everything is taken over; URLs lose their last slash, lists are split.
    """
    config = Config.from_env(LOCAL)

    assert config.public_url == "http://127.0.0.1:8080"
    assert config.cors_origins == {"https://a.example", "https://b.example"}
    assert config.ice.fixed == ()
    assert config.ice.turn is None
    assert config.local is not None
    assert config.local.tasks_host == "127.0.0.1:8082"


@pytest.mark.parametrize("name", LOCAL)
def test_what_is_missing_is_named(name: str) -> None:
    """
    Each name is needed, and an empty value is as good as none.
    """
    with pytest.raises(ConfigError, match=f"missing: {name}"):
        Config.from_env(LOCAL | {name: " "})


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("PARLEY_APPLE_APP_IDS", '["ABCDE12345.example.app"]', '["example.app"]'),
        ("PARLEY_WEB_APP", WEB_APP, '{"api_key": "k"}'),
        ("PARLEY_WEB_APP", "null", WEB_APP.replace('"2"', "2")),
        ("PARLEY_WEB_APP", "null", WEB_APP.replace("app_id", "appId")),
        ("PARLEY_APPLE_APP_IDS", "[]", '"ABCDE12345.example.app"'),
        ("PARLEY_ANDROID_APPS", "{}", '{"example.app": ["AB:CD"]}'),
        ("PARLEY_ANDROID_APPS", "{}", '{"app": []}'),
    ],
)
def test_apps_are_checked(name: str, good: str, bad: str) -> None:
    """
    App ids that no phone would accept are refused at the start.
    """
    Config.from_env(LOCAL | {name: good})
    with pytest.raises(ConfigError, match=f"{name} must be JSON"):
        Config.from_env(LOCAL | {name: bad})


def test_all_that_is_missing_is_named_at_once() -> None:
    """
    One error lists every name that an empty environment lacks.
    """
    with pytest.raises(ConfigError) as error:
        Config.from_env({})

    shared = {
        name
        for name in LOCAL
        if not name.startswith("PARLEY_LOCAL_") and name.startswith("PARLEY_")
    }
    assert all(name in str(error.value) for name in shared)


def test_production_refuses_what_is_local() -> None:
    """
    Every local name, the emulator's host included, is refused by name.
    """
    local = [n for n in LOCAL if n.startswith(("PARLEY_LOCAL_", "FIRESTORE_"))]

    with pytest.raises(ConfigError) as error:
        Config.from_env(LOCAL | {"PARLEY_ENVIRONMENT": "production"})

    for name in local:
        assert f"{name} is not allowed in production" in str(error.value)
    assert "PARLEY_LAUNCHER" in str(error.value)


@pytest.mark.parametrize("environment", ["local", "production"])
def test_unsigned_tokens_are_never_accepted(environment: str) -> None:
    """
    The variable that makes firebase-admin believe anything is refused everywhere.
    """
    env = LOCAL | {
        "PARLEY_ENVIRONMENT": environment,
        "FIREBASE_AUTH_EMULATOR_HOST": "127.0.0.1:9099",
    }

    with pytest.raises(ConfigError, match="FIREBASE_AUTH_EMULATOR_HOST"):
        Config.from_env(env)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARLEY_ENVIRONMENT", "staging"),
        ("PARLEY_LAUNCHER", "magic"),
        ("PARLEY_ICE_SERVERS", "{"),
        ("PARLEY_ICE_SERVERS", "[1]"),
        ("PARLEY_ICE_SERVERS", '[{"url": "stun:x"}]'),
    ],
)
def test_what_is_wrong_is_named(name: str, value: str) -> None:
    """
    A value that means nothing is refused with its name.
    """
    with pytest.raises(ConfigError, match=name):
        Config.from_env(LOCAL | {name: value})


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({}, RelayLimits(from_share=0.8, most=16)),
        ({"PARLEY_RELAYS": '{"most": 0}'}, RelayLimits(from_share=0.8, most=0)),
        (
            {"PARLEY_RELAYS": '{"from_share": 0.5}'},
            RelayLimits(from_share=0.5, most=16),
        ),
    ],
)
def test_relays_are_limited(given: dict[str, str], limits: RelayLimits) -> None:
    """
    What is not said is as it is without a word.
    """
    assert Config.from_env(LOCAL | given).relays == limits


@pytest.mark.parametrize(
    "wrong", ['{"from_share": 2}', '{"many": 1}', '{"most": "1"}', "[]"]
)
def test_limits_of_relays_are_checked(wrong: str) -> None:
    """
    The complaint names what it is about.
    """
    with pytest.raises(ConfigError, match="PARLEY_RELAYS"):
        Config.from_env(LOCAL | {"PARLEY_RELAYS": wrong})


def test_ice_servers_are_read() -> None:
    """
    ICE servers are written as browsers write them.
    """
    value = '[{"urls": ["turn:t"], "username": "u", "credential": "c"}]'

    config = Config.from_env(LOCAL | {"PARLEY_ICE_SERVERS": value})

    assert config.ice.fixed == (
        IceServer(urls=("turn:t",), username="u", credential="c"),
    )


@pytest.mark.parametrize(
    ("urls", "secret", "complaint"),
    [
        ('["turn:192.0.2.1:3478"]', "", "missing: PARLEY_TURN_SECRET"),
        ('["turn:192.0.2.1:3478"]', "short", "PARLEY_TURN_SECRET must have"),
        ('["stun:192.0.2.1"]', "s" * 32, "PARLEY_TURN_URLS must be JSON"),
        ("{", "s" * 32, "PARLEY_TURN_URLS must be JSON"),
    ],
)
def test_a_turn_service_is_whole(urls: str, secret: str, complaint: str) -> None:
    """
    URLs of TURN come with a secret that nobody guesses.
    """
    env = LOCAL | {"PARLEY_TURN_URLS": urls, "PARLEY_TURN_SECRET": secret}
    with pytest.raises(ConfigError, match=complaint):
        Config.from_env(env)

    good = {"PARLEY_TURN_URLS": '["turn:t"]', "PARLEY_TURN_SECRET": "s" * 32}
    assert Config.from_env(LOCAL | good).ice.turn == Turn(
        urls=("turn:t",), secret="s" * 32
    )


CONTAINER = {
    "PARLEY_LAUNCHER": "container",
    "PARLEY_CONTAINER_ENGINE_URL": "unix:///run/podman/podman.sock",
    "PARLEY_CONTAINER_IMAGE": "parley-worker@sha256:0",
    "PARLEY_CONTAINER_MEDIA_HOST": "203.0.113.5",
    "PARLEY_CONTAINER_CONTROL_HOST": "10.0.0.5",
    "PARLEY_CONTAINER_PORTS": "41000-41007",
    "PARLEY_WORKER_ENVIRONMENT": '{"PARLEY_LIVE_EDGE_URL": "gs://live"}',
}
AGONES = {
    "PARLEY_LAUNCHER": "agones",
    "PARLEY_AGONES_NAMESPACE": "parley",
    "PARLEY_AGONES_FLEET": "workers",
    "PARLEY_AGONES_RENDER_FLEET": "renders",
}
OUTSIDE = {
    "PARLEY_KUBERNETES_API_URL": "https://192.0.2.9",
    "PARLEY_KUBERNETES_CA_FILE": "/secrets/ca.pem",
}


def in_production(**changes: str) -> dict[str, str]:
    """Return an environment for production."""
    kept = {
        name: value
        for name, value in LOCAL.items()
        if not name.startswith(("PARLEY_LOCAL_", "FIRESTORE_"))
    }
    return kept | {"PARLEY_ENVIRONMENT": "production", **changes}


def test_containers_are_read() -> None:
    """
    Production can launch containers on one machine.
    """
    settings = Config.from_env(in_production(**CONTAINER)).launcher

    assert isinstance(settings, ContainerSettings)
    assert settings.ports == range(41_000, 41_008)
    assert settings.deployment == "http://127.0.0.1:8080"
    assert settings.worker_environment == {"PARLEY_LIVE_EDGE_URL": "gs://live"}
    assert settings.render_environment == {}


def test_a_fleet_is_read() -> None:
    """
    Of the cluster that the functions run in, or of one that they reach from outside.
    """
    inside = Config.from_env(in_production(**AGONES)).launcher
    outside = Config.from_env(in_production(**AGONES, **OUTSIDE)).launcher

    assert isinstance(inside, AgonesSettings)
    assert isinstance(outside, AgonesSettings)
    assert inside.api is None
    assert outside.api == KubernetesApi(
        url="https://192.0.2.9", ca_file="/secrets/ca.pem"
    )


@pytest.mark.parametrize("launcher", [CONTAINER, AGONES, {**AGONES, **OUTSIDE}])
def test_what_a_launcher_lacks_is_named(launcher: dict[str, str]) -> None:
    """
    All of it, for the launcher that was chosen and for no other.
    """
    optional = {"PARLEY_LAUNCHER", "PARLEY_WORKER_ENVIRONMENT"}
    if "PARLEY_KUBERNETES_API_URL" in launcher:
        optional.add("PARLEY_KUBERNETES_API_URL")  # without it, we are inside
    for name in launcher.keys() - optional:
        without = {key: value for key, value in launcher.items() if key != name}
        with pytest.raises(ConfigError, match=f"missing: {name}$"):
            Config.from_env(in_production(**without))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARLEY_CONTAINER_PORTS", "41000"),
        ("PARLEY_CONTAINER_PORTS", "41000-41002"),  # too few for one worker
        ("PARLEY_CONTAINER_PORTS", "65530-65536"),
        ("PARLEY_CONTAINER_MOUNTS", "{}"),
        ("PARLEY_CONTAINER_MOUNTS", "[1]"),
        ("PARLEY_WORKER_ENVIRONMENT", "[]"),
        ("PARLEY_RENDER_ENVIRONMENT", '{"A": 1}'),
    ],
)
def test_what_is_wrong_with_containers_is_named(name: str, value: str) -> None:
    """
    A value that means nothing is refused with its name.
    """
    with pytest.raises(ConfigError, match=name):
        Config.from_env(in_production(**{**CONTAINER, name: value}))


def test_keys_behind_a_cdn_take_a_secret_worth_the_name() -> None:
    """
    Without the setting functions serve all keys; with half of it nothing starts.
    """
    place = {"url": "https://keys.example/", "store_url": "gs://keys"}
    entry = place | {"secret": "s" * 32}
    wrong: tuple[object, ...] = (place, place | {"secret": "short"}, [])

    def read(value: object) -> Config:
        return Config.from_env(LOCAL | {"PARLEY_LIVE_KEYS": json.dumps(value)})

    found = read(entry).live.keys
    assert Config.from_env(LOCAL).live.keys is None
    assert found is not None
    assert (found.url, found.store_url) == ("https://keys.example", "gs://keys")
    for value in wrong:
        with pytest.raises(ConfigError, match="PARLEY_LIVE_KEYS must be JSON"):
            read(value)
    with pytest.raises(ConfigError, match="PARLEY_LIVE_KEYS must name a store of its"):
        read(entry | {"store_url": LOCAL["PARLEY_LIVE_EDGE_URL"]})


def test_the_live_edge_is_where_the_api_is_unless_named() -> None:
    """
    A CDN in front of it is told by its URL.
    """
    cdn = Config.from_env(LOCAL | {"PARLEY_LIVE_URL": "https://live.example/"})

    assert Config.from_env(LOCAL).live.url == "http://127.0.0.1:8080"
    assert cdn.live.url == "https://live.example"

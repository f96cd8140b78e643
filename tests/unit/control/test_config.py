"""What a worker demands of its environment."""

import pytest

from media_worker.config import REQUIRED, Config, ConfigError

GOOD = {
    "PARLEY_PROJECT_ID": "demo-parley",
    "PARLEY_SPACE_ID": "1nKxoPQrsTUvw",
    "PARLEY_EPOCH": "3",
    "PARLEY_GRANT_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----",
    "PARLEY_CONTROL_BIND": "127.0.0.1:0",
    "PARLEY_UDP_ENDPOINTS": '[{"bind":"[::]:41000","announced":"192.0.2.7:41000"}]',
    "PARLEY_LIVE_EDGE_URL": "file:///tmp/objects",
}


def test_a_full_environment_is_read() -> None:
    """
    Addresses are split, numbers are numbers, options are None.
    """
    config = Config.from_env(GOOD)

    assert config.epoch == 3
    assert config.udp_endpoints[0].bind == ("::", 41_000)
    assert config.udp_endpoints[0].announced == ("192.0.2.7", 41_000)
    assert config.control_url is None
    assert config.emulator_host is None


def test_all_missing_names_are_told_at_once() -> None:
    """
    One error lists everything that is missing.
    """
    with pytest.raises(ConfigError) as error:
        Config.from_env({})

    assert all(name in str(error.value) for name in REQUIRED)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PARLEY_SPACE_ID", "../../etc"),
        ("PARLEY_EPOCH", "0"),
        ("PARLEY_EPOCH", "three"),
        ("PARLEY_CONTROL_BIND", "localhost"),
        ("PARLEY_CONTROL_BIND", "127.0.0.1:70000"),
        ("PARLEY_UDP_ENDPOINTS", "[]"),
        ("PARLEY_UDP_ENDPOINTS", "{}"),
        ("PARLEY_UDP_ENDPOINTS", "[1]"),
        ("PARLEY_UDP_ENDPOINTS", '[{"bind":"1.2.3.4:5"}]'),
        ("PARLEY_UDP_ENDPOINTS", "nonsense"),
        ("PARLEY_WORKLOAD", "mixer"),
        ("PARLEY_SESSION_CAPACITY", "0"),
        ("PARLEY_LIVE_KEYS_URL", GOOD["PARLEY_LIVE_EDGE_URL"]),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """
    The error says which name is wrong.
    """
    with pytest.raises(ConfigError, match=name):
        Config.from_env(GOOD | {name: value})


def test_a_large_room_begins_where_the_environment_says() -> None:
    """
    It is an option; what is no number from 1 is refused.
    """
    assert Config.from_env(GOOD).long_frames_from == 500
    setting = {"PARLEY_LONG_FRAMES_FROM": "40"}
    assert Config.from_env(GOOD | setting).long_frames_from == 40
    with pytest.raises(ConfigError, match="PARLEY_LONG_FRAMES_FROM"):
        Config.from_env(GOOD | {"PARLEY_LONG_FRAMES_FROM": "0"})


@pytest.mark.parametrize(
    ("given", "relay"),
    [
        ({}, None),
        ({"PARLEY_WORKLOAD": "room", "PARLEY_RELAY_INDEX": "0"}, None),
        ({"PARLEY_WORKLOAD": "relay", "PARLEY_RELAY_INDEX": "0"}, 0),
        ({"PARLEY_WORKLOAD": "relay", "PARLEY_RELAY_INDEX": "7"}, 7),
    ],
)
def test_a_relay_is_told_its_number(given: dict[str, str], relay: int | None) -> None:
    """
    Without a word of it the worker is a room's.
    """
    assert Config.from_env(GOOD | given).relay == relay


@pytest.mark.parametrize("index", ["", "-1", "one"])
def test_a_relay_without_a_number_does_not_start(index: str) -> None:
    """
    It could claim no document.
    """
    given = {"PARLEY_WORKLOAD": "relay", "PARLEY_RELAY_INDEX": index}

    with pytest.raises(ConfigError, match="PARLEY_RELAY_INDEX"):
        Config.from_env(GOOD | given)


def test_a_worker_takes_as_many_as_its_processes_can() -> None:
    """
    2,500 sessions for each process that serves listeners, unless the operator knows
    better.
    """
    endpoint = '{"bind":"[::]:0","announced":"192.0.2.7:1"}'
    three = {"PARLEY_UDP_ENDPOINTS": f"[{endpoint},{endpoint},{endpoint}]"}
    set_by_hand = {"PARLEY_SESSION_CAPACITY": "40"}

    assert Config.from_env(GOOD).session_capacity == 2_500
    assert Config.from_env(GOOD | three).session_capacity == 5_000
    assert Config.from_env(GOOD | three | set_by_hand).session_capacity == 40

"""What the stack's processes are told."""

import json
from pathlib import Path

import pytest

from infra.local.folder import DataFolder
from infra.local.refusals import StartRefused
from infra.local.stack import Stack


def a_stack(**changes: object) -> Stack:
    """Return a stack on loopback, changed."""
    values: dict[str, object] = {
        "folder": DataFolder(Path("/data")),
        "public_url": "http://127.0.0.1:8080",
        "media_address": "127.0.0.1",
        "port": 8080,
        "firestore_port": 20001,
        "tasks_port": 20002,
        "functions_port": 20003,
        "launcher_port": 20004,
    }
    return Stack(**{**values, **changes})  # type: ignore[arg-type]  # see above


def test_another_shells_cloud_does_not_leak_in() -> None:
    """
    Credentials, emulators, Parley settings and asyncio's debug mode stay outside.
    """
    inherited = {
        "PATH": "/bin",
        "HOME": "/home/ana",
        "GOOGLE_APPLICATION_CREDENTIALS": "/key.json",
        "FIREBASE_AUTH_EMULATOR_HOST": "x:1",
        "FIRESTORE_EMULATOR_HOST": "x:2",
        "PARLEY_ENVIRONMENT": "production",
        "PYTHONASYNCIODEBUG": "1",
    }

    environment = a_stack().base_environment(inherited)

    assert environment["PATH"] == "/bin"
    assert environment.keys() & inherited.keys() == {"PATH", "HOME"}
    assert "PYTHONASYNCIODEBUG" in a_stack(debug=True).base_environment(inherited)


def test_loopback_is_reached_without_a_proxy() -> None:
    """
    A company proxy in the environment does not get the stack's own calls.
    """
    environment = a_stack(media_address="192.0.2.1").base_environment(
        {"no_proxy": "corp.example,127.0.0.1"}
    )

    expected = "127.0.0.1,localhost,192.0.2.1,corp.example"
    assert environment["no_proxy"] == environment["NO_PROXY"] == expected


def test_operators_may_try_their_keys_and_webhooks() -> None:
    """
    These two names reach the functions, and nothing else of their kind does.
    """
    inherited = {"PARLEY_WEBHOOKS": "[]", "PARLEY_ADMIN_KEYS": "k", "PARLEY_X": "1"}
    kept = a_stack().operators_environment(inherited)

    assert kept == {"PARLEY_WEBHOOKS": "[]", "PARLEY_ADMIN_KEYS": "k"}


def test_tasks_come_by_loopback_whatever_the_public_url() -> None:
    """
    With --host clients get TLS; the stack's own calls stay plain and inside.
    """
    environment = a_stack(public_url="https://192.0.2.1:8080").functions_environment(
        grant_private_key="k", launcher_token="t"
    )

    assert environment["PARLEY_PUBLIC_URL"] == "https://192.0.2.1:8080"
    assert environment["PARLEY_TASKS_TARGET_URL"] == "http://127.0.0.1:8080"
    assert environment["PARLEY_TASKS_AUDIENCE"] == "http://127.0.0.1:8080/tasks"
    assert environment["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:20001"


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [("192.0.2.1", "192.0.2.1:41000"), ("2001:db8::1", "[2001:db8::1]:41000")],
)
def test_a_worker_binds_what_it_announces(address: str, endpoint: str) -> None:
    """
    A reply leaves from the address that the client's ICE agent checks.
    """
    environment = a_stack(media_address=address).worker_environment(
        space_id="s", epoch=3, grant_public_key="k", udp_ports=(41000, 41001)
    )

    first, second = json.loads(environment["PARLEY_UDP_ENDPOINTS"])
    assert first == {"bind": endpoint, "announced": endpoint}
    assert second["bind"] == endpoint.replace("41000", "41001")
    assert environment["PARLEY_EPOCH"] == "3"
    assert environment["PARLEY_LIVE_EDGE_URL"] == "file:///data/objects"


def test_a_data_folder_has_one_owner(tmp_path: Path) -> None:
    """
    The second lock is refused in one line, and given once the first is closed.
    """
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with open(folder.lock(), "rb"):
        with pytest.raises(StartRefused, match="another instance") as refused:
            folder.lock()
        assert "\n" not in str(refused.value)

    with open(folder.lock(), "rb"):
        pass


def test_keys_are_for_nobody_else_on_this_machine(tmp_path: Path) -> None:
    """
    Neither those that sign nor those that open voices.
    """
    folder = DataFolder(tmp_path / "data")
    folder.create()

    assert folder.key_encryption.is_relative_to(folder.keys)
    for keys in (folder.keys, folder.recording_keys):
        assert keys.stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """
    A file in the folder's place is refused with the folder's name.
    """
    blocked = tmp_path / "file"
    blocked.touch()

    with pytest.raises(StartRefused, match=str(blocked)):
        DataFolder(blocked).create()


def test_objects_are_reached_by_s3_where_that_is_asked() -> None:
    """
    Functions and workers write to the buckets, which are folders of the same names.
    """
    stack = a_stack(folder=DataFolder(Path("/data"), s3=True))

    functions = stack.functions_environment(grant_private_key="", launcher_token="")
    worker = stack.worker_environment(
        space_id="1nKxoPQrsTUvw", epoch=1, grant_public_key="", udp_ports=[1]
    )

    urls = {told["PARLEY_LIVE_EDGE_URL"] for told in (functions, worker)}
    assert urls == {"s3://objects"}
    assert stack.folder.recording_keys_url == "s3://recording_keys"

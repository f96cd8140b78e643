"""The command line and the addresses that it takes."""

import shutil
from pathlib import Path

import pytest

from infra.local import ports
from infra.local.__main__ import main
from infra.local.keys import ID_TOKEN_ISSUER, OIDC_ISSUER, KeyFolder
from infra.local.refusals import StartRefused


@pytest.fixture(scope="module")
def rsa_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of the keys that take long to make."""
    made = tmp_path_factory.mktemp("keys")
    for issuer in (ID_TOKEN_ISSUER, OIDC_ISSUER):
        KeyFolder(made).signing_key(issuer)
    return made


@pytest.mark.parametrize("command", [(), ("up",), ("tasks",), ("firestore",)])
def test_help_tells_what_there_is(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    `--help` works for all of it and starts nothing.
    """
    with pytest.raises(SystemExit) as ended:
        main((*command, "--help"))

    assert ended.value.code == 0
    assert "--port" in capsys.readouterr().out or command == ()


@pytest.mark.parametrize(
    "arguments",
    [("up", "--port", "99999"), ("up", "--nonsense"), ("tasks",), ("down",), ()],
)
def test_wrong_arguments_are_refused(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Usage on standard error, and exit code 2.
    """
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "224.0.0.1"])  # noqa: S104
def test_a_host_must_be_one_that_a_phone_can_reach(host: str) -> None:
    """
    Addresses that cannot be announced are refused in one line.
    """
    with pytest.raises(StartRefused, match="--host"):
        ports.resolve_host(host)


def test_addresses_stand_for_themselves() -> None:
    """
    IPv6 gets its brackets in URLs.
    """
    assert ports.resolve_host("192.0.2.1") == "192.0.2.1"
    assert ports.in_url("192.0.2.1") == "192.0.2.1"
    assert ports.in_url("2001:db8::1") == "[2001:db8::1]"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("grant.key.pem", b"garbage"),
        ("oidc.key.pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY---"),
        ("id-token.cert.pem", b""),
        ("launcher.token", b"\xff"),
    ],
)
def test_keys_that_cannot_be_used_are_said_in_one_line(
    rsa_keys: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    content: bytes,
) -> None:
    """
    A torn or foreign file names its folder and ends `up`, without a traceback.
    """
    keys = tmp_path / "keys"
    shutil.copytree(rsa_keys, keys)
    (keys / name).write_bytes(content)

    code = main(("up", "--port", "0", "--data", str(tmp_path)))

    said = capsys.readouterr().err
    assert code == 1
    assert said.startswith("parley: cannot use the keys in")
    assert str(keys) in said
    assert said.count("\n") == 1

"""What a worker says of its own end."""

import socket
from pathlib import Path

import pytest

from media_worker import program
from media_worker.config import Config
from media_worker.epoch_life import ExitCode
from media_worker.start_trace import StartTrace
from media_worker.worker import Worker


def a_config(folder: Path, *, control_bind: str = "127.0.0.1:0") -> Config:
    """Return the configuration of a worker that keeps to itself."""
    return Config.from_env(
        {
            "PARLEY_PROJECT_ID": "demo-parley",
            "FIRESTORE_EMULATOR_HOST": "127.0.0.1:1",
            "PARLEY_SPACE_ID": "1nKxoPQrsTUvw",
            "PARLEY_EPOCH": "3",
            "PARLEY_GRANT_PUBLIC_KEY": "-----BEGIN PUBLIC KEY-----",
            "PARLEY_CONTROL_BIND": control_bind,
            "PARLEY_UDP_ENDPOINTS": (
                '[{"bind":"127.0.0.1:0","announced":"127.0.0.1:0"}]'
            ),
            "PARLEY_LIVE_EDGE_URL": folder.as_uri(),
        }
    )


async def exit_code(config: Config) -> int:
    """Run a worker as one that was waiting warm; return how it ended."""
    return await program._run(config, StartTrace(0, {}), warm=True)


async def test_an_error_at_work_is_no_failed_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """
    An OSError from a running worker is told with its traceback, as the crash it is.
    """

    async def crash(_: Worker) -> ExitCode:
        raise OSError("connection reset")

    monkeypatch.setattr(Worker, "run", crash)

    assert await exit_code(a_config(tmp_path)) == ExitCode.CRASHED
    assert [(r.message, bool(r.exc_info)) for r in caplog.records] == [
        ("worker crashed", True)
    ]


async def test_a_taken_address_is_told_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Whoever configured the worker reads what is wrong, without a traceback.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        code = await exit_code(a_config(tmp_path, control_bind=bind))

    assert code == ExitCode.CRASHED
    (record,) = caplog.records
    assert record.message.startswith("cannot start: ")
    assert not record.exc_info

"""What the launcher accepts, and how the functions share one server."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from infra.local.functions_server import by_path
from infra.local.processes import describe_exit, rotate
from infra.local.workloads import WorkloadKey, WorkloadRefused

GOOD = {"kind": "room", "key": "abc", "epoch": 3, "index": 0}


def test_the_ref_is_that_of_the_four() -> None:
    """
    Equal requests have equal refs; any difference shows.
    """
    refs = {
        WorkloadKey.parse(GOOD | change).ref
        for change in (
            *({}, {}, {"key": "abd"}, {"epoch": 4}, {"index": 1}),
            {"kind": "relay"},
        )
    }

    assert len(refs) == 5


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        GOOD | {"more": 1},
        GOOD | {"kind": "mixer"},
        GOOD | {"key": "../../etc"},
        GOOD | {"key": ""},
        GOOD | {"key": 1},
        GOOD | {"epoch": 0},
        GOOD | {"epoch": "3"},
        GOOD | {"epoch": True},
        GOOD | {"index": -1},
    ],
)
def test_malformed_requests_launch_nothing(body: object) -> None:
    """
    Each is refused before a process or a file name is made of it.
    """
    with pytest.raises(WorkloadRefused):
        WorkloadKey.parse(body)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/spaces", b"api"),
        ("/tasks", b"tasks"),
        ("/tasks/launch", b"tasks"),
        ("/tasksx", b"api"),
        ("/local/ready", b""),
    ],
)
def test_each_path_has_its_function(path: str, expected: bytes) -> None:
    """
    What is below /tasks is the queue's, as production's two services divide it.
    """

    def app(name: bytes) -> Callable[..., Iterable[bytes]]:
        return lambda _environ, _start: [name]

    answer = by_path(app(b"api"), app(b"tasks"))({"PATH_INFO": path}, lambda *_: None)

    assert b"".join(answer) == expected


def test_a_log_that_grew_is_set_aside(tmp_path: Path) -> None:
    """
    Its writer goes on at the start of the same file; short logs stay.
    """
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"a" * 11)
        rotate(log, limit_bytes=10)
        writer.write(b"b")
    rotate(log, limit_bytes=10)
    rotate(tmp_path / "missing.log", limit_bytes=10)

    assert log.read_bytes() == b"b"
    assert (tmp_path / "x.log.1").read_bytes() == b"a" * 11


def test_a_signal_is_named() -> None:
    """
    People read SIGKILL, not -9.
    """
    shown: list[Any] = [describe_exit(code) for code in (-9, 0, 3)]

    assert shown == ["SIGKILL", "exit code 0", "exit code 3"]

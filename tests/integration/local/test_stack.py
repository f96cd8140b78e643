"""`python -m infra.local up` as one runs it: start, crash, refuse, stop."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.running_stack import ROOT, RunningStack, command_line, start

STARTER = """
import pathlib, signal, sys
from tests.running_stack import start
print(start(pathlib.Path(sys.argv[1])).port, flush=True)
signal.pause()
"""
SERVICES = ("firestore", "tasks", "infra.local.gateway", "infra.local.functions_server")


@contextlib.contextmanager
def a_stack(
    data: Path, port: int | None = None, host: str | None = None
) -> Iterator[RunningStack]:
    """Start a stack, and end it where the test has not."""
    running = start(data, port, host)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
        for pipe in (running.process.stdout, running.process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """A stack for the tests that leave it running."""
    with a_stack(tmp_path_factory.mktemp("stack")) as running:
        yield running


def until(condition: Callable[[], Any], *, within_s: float = 60) -> None:
    """Return when `condition` holds; fail if it does not in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, "waited in vain"
        time.sleep(0.05)


def launcher(stack: RunningStack) -> tuple[str, dict[str, str]]:
    """Return the URL of a stack's workloads and the headers that open it."""
    environment = next(
        child.environ()
        for child in stack.children()
        if "infra.local.functions_server" in command_line(child)
    )
    url = environment["PARLEY_LOCAL_LAUNCHER_URL"] + "/workloads"
    return url, {
        "Authorization": f"Bearer {environment['PARLEY_LOCAL_LAUNCHER_TOKEN']}"
    }


def service(stack: RunningStack, name: str) -> psutil.Process:
    """Return the child that the supervisor started for a service."""
    return next(
        child
        for child in psutil.Process(stack.process.pid).children()
        if name in command_line(child)
    )


def api_answers(stack: RunningStack) -> bool:
    """Return whether a request goes all the way through to Firestore."""
    return _is_ok(f"{stack.url}/v1/spaces?state=live")


def cloud_answers(stack: RunningStack) -> bool:
    """Return whether both embedded servers are there."""
    return _is_ok(f"{stack.url}/local/operations")


def _is_ok(url: str) -> bool:
    try:
        return requests.get(url, timeout=60).ok
    except requests.RequestException:
        return False


def refused(*arguments: str) -> str:
    """Run `up`, expect exit code 1 and one line on standard error, and return it."""
    ended = subprocess.run(
        (sys.executable, "-m", "infra.local", "up", *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_that_is_killed_comes_back(stack: RunningStack, name: str) -> None:
    """
    On the same ports, by itself, with the API answering again.
    """
    killed = service(stack, name)
    arguments = killed.cmdline()

    killed.kill()
    killed.wait(60)

    until(lambda: api_answers(stack) and cloud_answers(stack))
    until(lambda: [c for c in stack.children() if command_line(c) == arguments])


def test_what_was_written_survives_every_services_death(stack: RunningStack) -> None:
    """
    A profile is there after Firestore, and everything else, was killed.
    """
    body = {"handle": "ana"}
    me = requests.post(f"{stack.url}/local/sign-in", json=body, timeout=60).json()
    headers = {"Authorization": f"Bearer {me['id_token']}"}
    profile = {"handle": "ana", "display_name": "Ana"}
    url = f"{stack.url}/v1/me"
    requests.put(url, json=profile, headers=headers, timeout=60).raise_for_status()

    killed = [service(stack, name) for name in SERVICES]
    for each in killed:
        each.kill()
    psutil.wait_procs(killed, timeout=60)
    until(lambda: api_answers(stack) and cloud_answers(stack))

    found = requests.get(url, headers=headers, timeout=60).json()
    assert found["display_name"] == "Ana"


def test_a_workload_is_launched_once_and_not_restarted(stack: RunningStack) -> None:
    """
    The same four values mean the same worker; a dead one waits for the watchdog.
    """
    url, headers = launcher(stack)
    wanted = {"kind": "room", "key": "1abcDEF234567", "epoch": 1, "index": 0}

    first = requests.post(url, json=wanted, headers=headers, timeout=60)
    second = requests.post(url, json=wanted, headers=headers, timeout=60)

    launched = first.json()
    assert (first.status_code, second.status_code) == (201, 200)
    assert launched["ref"] == second.json()["ref"]
    assert launched["pid"] == second.json()["pid"]
    worker = psutil.Process(launched["pid"])
    assert worker.environ()["PARLEY_SPACE_ID"] == "1abcDEF234567"
    assert "PYTHONASYNCIODEBUG" not in worker.environ()
    worker.kill()
    until(lambda: not worker.is_running())
    dead = requests.post(url, json=wanted, headers=headers, timeout=60).json()
    assert dead["pid"] == launched["pid"]
    assert dead["state"] == "ended"


def test_the_launcher_wants_its_token(stack: RunningStack) -> None:
    """
    Without it nothing is launched, listed or ended.
    """
    url, _ = launcher(stack)
    wrong = {"Authorization": "Bearer guess"}
    wanted = {"kind": "room", "key": "a", "epoch": 1, "index": 0}

    answers = (
        requests.get(url, timeout=60),
        requests.post(url, json=wanted, headers=wrong, timeout=60),
        requests.delete(f"{url}/room-a-1-0", headers=wrong, timeout=60),
    )

    assert [answer.status_code for answer in answers] == [401, 401, 401]


def test_the_cloud_can_be_looked_into(stack: RunningStack) -> None:
    """
    Tasks, operations and pushes are shown, and a task can be run now.
    """
    for path in ("tasks", "operations", "push", "push?uid=somebody"):
        assert requests.get(f"{stack.url}/local/{path}", timeout=60).json(), path
    operations = requests.get(f"{stack.url}/local/operations", timeout=60).json()
    name = "projects/demo-parley/locations/local/queues/parley/tasks/unknown"
    unknown = requests.post(
        f"{stack.url}/local/tasks/run", json={"name": name}, timeout=60
    )

    assert operations.keys() >= {"reads", "writes", "deletes", "tasks_created"}
    assert unknown.status_code == 404


def test_the_documents_can_be_walked(stack: RunningStack) -> None:
    """
    Database, collection, document: each level names the next; odd paths are 400.
    """
    url = f"{stack.url}/local/documents"
    me = requests.post(
        f"{stack.url}/local/sign-in", json={"handle": "walker"}, timeout=60
    ).json()
    profile = {"handle": "walker", "display_name": "W"}
    bearer = {"Authorization": f"Bearer {me['id_token']}"}
    requests.put(f"{stack.url}/v1/me", json=profile, headers=bearer, timeout=60)

    root = requests.get(url, timeout=60).json()
    users = requests.get(url, params={"path": "users"}, timeout=60).json()
    path = f"users/{me['uid']}"
    document = requests.get(url, params={"path": path}, timeout=60).json()
    missing = requests.get(url, params={"path": "users/nobody"}, timeout=60).json()
    odd = requests.get(url, params={"path": "users//x"}, timeout=60)

    assert "users" in root["collections"]
    assert {"id": me["uid"]} in users["documents"]
    assert document["fields"]["handle"] == "walker"
    assert missing["fields"] is None
    assert odd.status_code == 400


def test_developers_have_a_page(stack: RunningStack) -> None:
    """
    `/local` leads to it; no script but its own may run in it.
    """
    page = requests.get(f"{stack.url}/local", timeout=60)
    script = requests.get(f"{stack.url}/local/console.js", timeout=60)

    assert page.url == f"{stack.url}/local/"
    assert "<title>Parley, locally</title>" in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_a_taken_port_is_said_in_one_line(stack: RunningStack, tmp_path: Path) -> None:
    """
    The line names the port.
    """
    line = refused("--port", str(stack.port), "--data", str(tmp_path))

    assert f"port {stack.port} on 127.0.0.1 is taken" in line


def test_a_second_instance_is_said_in_one_line(stack: RunningStack) -> None:
    """
    One data folder has one stack.
    """
    supervisor = psutil.Process(stack.process.pid)
    data = supervisor.cmdline()[supervisor.cmdline().index("--data") + 1]

    assert "another instance" in refused("--port", "0", "--data", data)


@pytest.mark.parametrize("where", ["/proc/parley", "file"])
def test_an_unwritable_folder_is_said_in_one_line(tmp_path: Path, where: str) -> None:
    """
    The line names the folder.
    """
    (tmp_path / "file").touch()
    data = str(tmp_path / where)

    assert data in refused("--port", "0", "--data", data)


@pytest.mark.parametrize("host", ["192.0.2.123", "0.0.0.0", "nosuchname.invalid"])  # noqa: S104
def test_a_host_that_is_not_ours_is_said_in_one_line(tmp_path: Path, host: str) -> None:
    """
    The line names the address.
    """
    assert host in refused("--port", "0", "--data", str(tmp_path), "--host", host)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    """
    Ctrl-C and SIGTERM end all of it, with exit code 0, and the port is free again.
    """
    with a_stack(tmp_path) as stack:
        children = stack.children()

        stack.process.send_signal(number)

        assert stack.process.wait(60) == 0
        _, alive = psutil.wait_procs(children, timeout=60)
        assert alive == []
        with socket.create_server(("127.0.0.1", stack.port)):
            pass


def test_a_killed_test_run_leaves_no_process(tmp_path: Path) -> None:
    """
    Not even `kill -9` of what started a stack, and so of the supervisor, leaves
    children behind, and the next start works at once.
    """
    command = [sys.executable, "-c", STARTER, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        try:
            assert starter.stdout is not None
            port = int(starter.stdout.readline())
            running = RunningStack(starter, f"http://127.0.0.1:{port}", port)
            url, headers = launcher(running)
            room = {"kind": "room", "key": "1abcDEF234567", "epoch": 1, "index": 0}
            requests.post(url, json=room, headers=headers, timeout=60)
            children = running.children()
        finally:
            starter.kill()
    _, alive = psutil.wait_procs(children, timeout=30)
    left = [command_line(process) for process in alive]
    for process in alive:
        process.kill()

    assert left == []
    assert len(children) > 1 + len(SERVICES)  # the supervisor, and a room
    with a_stack(tmp_path, port) as again:
        assert api_answers(again)


def test_another_address_is_served_over_tls(tmp_path: Path) -> None:
    """
    With a certificate for it; the private parts of /local/ stay on loopback.
    """
    host = "127.0.0.2"  # an address of every Linux machine that is not 127.0.0.1
    with a_stack(tmp_path, host=host) as stack:
        authority = tmp_path / "keys" / "tls-authority.cert.pem"
        page, shown, hidden = (
            requests.get(stack.url + path, verify=str(authority), timeout=60)
            for path in ("/", "/local/authority.crt", "/local/tasks")
        )
        loopback = requests.get(
            f"http://127.0.0.1:{stack.port}/local/tasks", timeout=60
        )

    assert stack.url == f"https://{host}:{stack.port}"
    statuses = [answer.status_code for answer in (page, shown, hidden, loopback)]
    assert statuses == [200, 200, 404, 200]
    assert shown.content == authority.read_bytes()

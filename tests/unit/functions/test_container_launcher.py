"""What containers of a recording's jobs are told, by an engine that only listens."""

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, NotFound

from spaces.adapters.launchers.container import ContainerLauncher
from spaces.adapters.launchers.settings import ContainerSettings
from spaces.domain.errors import DependencyUnavailable
from spaces.service.ports import Workload, WorkloadKind
from spaces_contract.trace_context import TraceContext, within

SETTINGS = ContainerSettings(
    deployment="https://parley.example",
    engine_url="",
    image="parley-worker",
    media_host="127.0.0.1",
    control_host="127.0.0.1",
    ports=range(7_000, 7_100),
    mounts=(),
    worker_environment={"WHO": "room"},
    render_environment={"WHO": "render"},
)


class ListeningEngine:
    """Knows no container; keeps what it is asked to create."""

    def __init__(self) -> None:
        self.containers = self
        self.created: list[dict[str, Any]] = []

    def get(self, name: str) -> Any:
        raise NotFound(name)

    def list(self, **_: Any) -> list[Any]:
        return []

    def create(self, **options: Any) -> Any:
        self.created.append(options)
        return SimpleNamespace(start=lambda: None)

    def close(self) -> None:
        """Nothing is open."""


def a_launcher(engine: ListeningEngine) -> ContainerLauncher:
    """Return one that waits for nothing."""
    return ContainerLauncher(
        SETTINGS,
        project_id="demo",
        grant_public_key="",
        open_engine=lambda: engine,  # type: ignore[arg-type,return-value]  # docker's is no protocol
        sleep=lambda _: None,
    )


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (WorkloadKind.RENDER, ["render", "--recording", "r1", "--version", "3"]),
        (WorkloadKind.CLIP, ["clip", "--recording", "r1", "--clip", "3"]),
    ],
)
def test_jobs_of_recordings_are_told_what_they_are_for(
    kind: WorkloadKind, told: list[str]
) -> None:
    """
    A version or a clip, in the environment of renders, under a name of its own.
    """
    engine = ListeningEngine()
    launcher = a_launcher(engine)

    ref = launcher.launch(Workload(kind=kind, key="r1", epoch=3, index=1))

    (options,) = engine.created
    assert ref == options["name"] == f"parley-{kind}-r1-3-1"
    assert options["entrypoint"][-5:] == told
    assert options["environment"] == {"WHO": "render"}
    assert options["stop_signal"] == "SIGKILL"


def test_a_worker_is_told_its_trace() -> None:
    """
    That of the call which launched it, by the variable that OpenTelemetry names.
    """
    engine = ListeningEngine()
    launcher = a_launcher(engine)

    with within(TraceContext("a" * 32, "b" * 16, sampled=True)):
        launcher.launch(Workload(kind=WorkloadKind.ROOM, key="s1", epoch=3))

    (options,) = engine.created
    told = options["environment"]["TRACEPARENT"]
    assert told == f"00-{'a' * 32}-{'b' * 16}-01"


class MakingEngine(ListeningEngine):
    """Has taken the name for somebody else, and shows the container `late` asks on."""

    def __init__(self, late: int) -> None:
        super().__init__()
        self.late = late
        self.started = 0

    def get(self, name: str) -> Any:
        self.late -= 1
        if self.late >= 0:
            raise NotFound(name)
        return SimpleNamespace(start=self._start)

    def create(self, **options: Any) -> Any:
        raise APIError("", explanation=f"name {options['name']} is already in use")

    def _start(self) -> None:
        self.started += 1


@pytest.mark.parametrize(("late", "started"), [(3, 1), (1_000, 0)])
def test_a_container_that_is_just_being_made_is_waited_for(
    late: int, started: int
) -> None:
    """
    Launched twice at the same moment; what does not appear is tried again later.
    """
    engine = MakingEngine(late)
    launcher = a_launcher(engine)
    room = Workload(kind=WorkloadKind.ROOM, key="s1", epoch=3)

    if started:
        assert launcher.launch(room) == "parley-room-s1-3-0"
    else:
        with pytest.raises(DependencyUnavailable):
            launcher.launch(room)

    assert engine.started == started


class StartingEngine(ListeningEngine):
    """Is just starting, for somebody else, what it is asked to start."""

    def get(self, name: str) -> Any:
        return SimpleNamespace(start=self._start, status="created")

    def _start(self) -> None:
        improper = "must be in Created or Stopped state: container state improper"
        raise APIError("", explanation=improper)


def test_a_container_that_another_starts_is_launched() -> None:
    """
    Launched twice at the same moment: podman refuses the second start.
    """
    engine = StartingEngine()
    launcher = a_launcher(engine)

    ref = launcher.launch(Workload(kind=WorkloadKind.ROOM, key="s1", epoch=3))

    assert ref == "parley-room-s1-3-0"

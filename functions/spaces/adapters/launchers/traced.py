"""A span for each launch; the workload is part of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from spaces_tracing.spans import Fact, SpanKind, span

from ...service.ports import LaunchedWorkload, Launcher, Workload


@dataclass(frozen=True, slots=True)
class TracedLauncher:
    """`Launcher` over another one, which passes the trace at hand on."""

    launcher: Launcher

    def launch(self, workload: Workload) -> str:
        """Launch it; see `Launcher`."""
        facts = {Fact.WORKLOAD: workload.kind.value, Fact.EPOCH: workload.epoch}
        with span("launch workload", SpanKind.CLIENT, facts):
            return self.launcher.launch(workload)

    def terminate(self, ref: str) -> None:
        """Terminate it; see `Launcher`."""
        self.launcher.terminate(ref)

    def workloads(self) -> Sequence[LaunchedWorkload]:
        """List them; see `Launcher`."""
        return self.launcher.workloads()

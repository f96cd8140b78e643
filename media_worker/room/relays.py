"""What the relays of a room have told it lately."""

from collections.abc import Mapping

from spaces_contract.relays import FORGOTTEN_AFTER_S, MAX_RELAYS, RelayReport

from .clock import Clock
from .listener_loss import ListenerLoss


class Relays:
    """
    The newest report of each relay; one that says nothing is forgotten.

    So a relay that was killed counts for `FORGOTTEN_AFTER_S` longer, and nothing has to
    be cleared up after it.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[int, tuple[RelayReport, float]] = {}

    def told(self, index: int, report: RelayReport) -> None:
        """Take a report."""
        self._forget()
        if index in self._told or len(self._told) < MAX_RELAYS:
            self._told[index] = (report, self._clock.now_s())

    def current(self) -> Mapping[int, RelayReport]:
        """Return the reports by the relays' numbers."""
        self._forget()
        return {index: report for index, (report, _) in self._told.items()}

    def listener_count(self) -> int:
        """Return how many hear all relays together."""
        return sum(report.listeners for report in self.current().values())

    def losses(self) -> list[ListenerLoss]:
        """Return how the listeners of each relay fare."""
        return [
            ListenerLoss(report.listeners, report.lossy, report.loss_percent)
            for report in self.current().values()
        ]

    def _forget(self) -> None:
        oldest_s = self._clock.now_s() - FORGOTTEN_AFTER_S
        for index, (_, told_s) in list(self._told.items()):
            if told_s < oldest_s:
                del self._told[index]

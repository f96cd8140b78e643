"""What is to be done after a commit; each effect has a name that is used once."""

from dataclasses import dataclass
from datetime import datetime

from spaces_contract.ids import SpaceId


@dataclass(frozen=True, slots=True)
class LaunchWorker:
    """Ask the launcher for the worker of one epoch; stored with its transaction."""

    space_id: SpaceId
    epoch: int

    @property
    def name(self) -> str:
        """The same for every attempt, so that attempts collapse into one."""
        return f"launch-{self.space_id}-{self.epoch}"


@dataclass(frozen=True, slots=True)
class CheckWorker:
    """Look after the worker of one epoch at `at`; `n` numbers the looks."""

    space_id: SpaceId
    epoch: int
    n: int
    at: datetime

    @property
    def name(self) -> str:
        """The same for everybody who wants this look."""
        return f"watchdog-{self.space_id}-{self.epoch}-{self.n}"


Effect = LaunchWorker | CheckWorker

"""What operators' use cases need from the outside, as interfaces."""

from collections.abc import Callable, Sequence
from typing import Protocol

from spaces_contract.ids import SpaceId, UserId

from ..domain.effects import ShutOut
from ..domain.report import Report, Resolution
from .ports import Cursor


class SuspensionStore(Protocol):
    """Who is suspended."""

    def all(self) -> frozenset[UserId]:
        """Return everybody who is; one read."""
        ...

    def add(self, effect: ShutOut) -> None:
        """
        Suspend somebody and store what shuts them out; again is harmless.

        Raises:
            ListFull: as many are as there may be.
        """
        ...

    def remove(self, user_id: UserId) -> None:
        """Suspend them no more, if they were."""
        ...

    def open_hosted(self, user_id: UserId) -> Sequence[SpaceId]:
        """Return the live and scheduled Spaces of which they are the host."""
        ...

    def present_in(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """
        Return Spaces which they joined last and did not leave.

        A Space that is over may be among them: nobody leaves such a one.
        """
        ...


class ReportDesk(Protocol):
    """Reports, as operators handle them."""

    def page(
        self, *, is_open: bool, limit: int, after: Cursor | None
    ) -> Sequence[Report]:
        """Return reports that are open, or those that are not; the oldest first."""
        ...

    def resolve(
        self, report_id: str, decide: Callable[[Report], Resolution | None]
    ) -> Report:
        """
        Store the resolution that `decide` returns, if any; it may be re-run.

        Raises:
            ReportNotFound: there is no such report.
        """
        ...

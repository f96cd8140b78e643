"""What erasing and exporting an account need from the outside, as interfaces."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from spaces_contract.ids import SpaceId, UserId

from ..domain.effects import EraseAccount
from ..domain.erasure import Traces


class AccountStore(Protocol):
    """Everything that is kept of one person.  Each call may be repeated."""

    def begin_erasure(self, effect: EraseAccount, at: datetime) -> EraseAccount | None:
        """
        Delete profile and handle, and store `effect`, in one transaction.

        Returns:
            `effect`, or that of an erasure which runs already; None where there is
            no such person.
        """
        ...

    def end_erasure(self, user_id: UserId) -> None:
        """Let the person make a new account."""
        ...

    def hosted(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """Return Spaces of which they are the host."""
        ...

    def met(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """Return Spaces that know them as a participant, or as invited."""
        ...

    def erase_from(
        self, space_id: SpaceId, user_id: UserId, decide: Callable[[Traces], Traces]
    ) -> None:
        """Store what `decide` leaves of them in one Space; it may be re-run."""
        ...

    def waits_for(self, user_id: UserId, *, limit: int) -> Sequence[SpaceId]:
        """Return Spaces of which they want to be reminded."""
        ...

    def devices(self, user_id: UserId, *, limit: int) -> Sequence[str]:
        """Return ids of their devices."""
        ...

    def forget_follows(self, user_id: UserId, *, limit: int) -> int:
        """Forget some of whom they follow, and who follows them; return how many."""
        ...

    def forget_words(self, user_id: UserId, *, limit: int) -> int:
        """Take their name off invites and reports they sent; return of how many."""
        ...

    def forget_lists(self, user_id: UserId, *, limit: int) -> int:
        """Delete whom they block and what they schedule; return how many."""
        ...

    def export(self, user_id: UserId) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield all that is kept of them, one thing with its kind at a time."""
        ...

"""What the use cases of the stage need from the outside, as interfaces."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from spaces_contract.ids import SpaceId, UserId

from ..domain.invite import Invite, InviteDecision, Invitee, InvitesDecision
from ..domain.participant import Participant
from ..domain.profile import Profile
from ..domain.report import Report
from ..domain.space import Space
from .ports import Cursor

Send = Callable[[Space, Profile | None, tuple[Invitee, ...]], InvitesDecision]
Answer = Callable[[Space, Participant | None, Invite | None], InviteDecision]
MuteAll = Callable[[Space, Sequence[Participant]], Sequence[Participant]]


class StageStore(Protocol):
    """People of one Space, several at once."""

    def asking(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        """Return those with a pending speak request, who asked first first."""
        ...

    def update_speakers(self, space_id: SpaceId, decide: MuteAll) -> None:
        """
        Give `decide` all speakers and store those it changed, in one transaction.

        Raises:
            SpaceNotFound: there is no such Space.
            Contended: others changed them all the while.
        """
        ...


@dataclass(frozen=True, slots=True)
class Received:
    """An invite, and the Space as it is now."""

    invite: Invite
    space: Space


class InviteStore(Protocol):
    """Invites: one for each person and Space, the latest."""

    def send(
        self,
        space_id: SpaceId,
        user_ids: Sequence[UserId],
        decide: Send,
        *,
        actor_id: UserId,
    ) -> Sequence[Invite]:
        """
        Store what `decide` makes of Space, inviter and invitees; it may be re-run.

        Raises:
            SpaceNotFound: there is no such Space.
            Contended: others changed them all the while.
        """
        ...

    def get(self, space_id: SpaceId, user_id: UserId) -> Invite | None:
        """Return a person's latest invite to a Space, if there is one."""
        ...

    def update(
        self, space_id: SpaceId, user_id: UserId, decide: Answer
    ) -> InviteDecision:
        """Store what `decide` makes of one invite; otherwise as `send`."""
        ...

    def pending(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Invite]:
        """Return a Space's invites stored as pending, the oldest first."""
        ...

    def received(
        self, user_id: UserId, *, limit: int, after: Cursor | None
    ) -> Sequence[Received]:
        """Return a person's invites, the newest first."""
        ...


class ReportStore(Protocol):
    """Complaints, for operators to read."""

    def put(self, report: Report) -> None:
        """
        Store it; one of the same id is kept as it is.

        Raises:
            SpaceNotFound: it is about a Space that is not there.
        """
        ...

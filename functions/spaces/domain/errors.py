"""
Everything that can be refused, each with a code of its own.

    SpaceError
    ├── NotFound      SpaceNotFound  ProfileNotFound  ParticipantNotFound
    ├── NotAllowed    HostOnly  ModeratorOnly  HostStays  CannotUnmuteAnother
    │                 BlockedByHost  RemovedFromSpace  ProtectedAccount
    ├── Conflict      IllegalTransition  NotLive  StageFull  CoHostsFull
    │                 TargetNotOnStage  ProfileRequired  HandleTaken
    │                 IdempotencyKeyReused  StaleRevision
    └── Unavailable   Contended  DependencyUnavailable
"""

from typing import Any

from .states import SpaceState


class SpaceError(Exception):
    """
    A request that cannot be granted.

    `code` is stable and part of the API; the message is written for the caller;
    `members` are further facts for the caller's program (RFC 9457 3.2).
    """

    code: str

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.members = members


class NotFound(SpaceError):
    """What was asked for is not there."""


class SpaceNotFound(NotFound):
    code = "space-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such Space.")


class ProfileNotFound(NotFound):
    code = "profile-not-found"

    def __init__(self) -> None:
        super().__init__("You have no profile yet: PUT /v1/me makes one.")


class ParticipantNotFound(NotFound):
    code = "participant-not-found"

    def __init__(self) -> None:
        super().__init__("This person is not in the Space.")


class NotAllowed(SpaceError):
    """The caller may not do this."""


class HostOnly(NotAllowed):
    code = "host-only"


class ModeratorOnly(NotAllowed):
    code = "moderator-only"


class HostStays(NotAllowed):
    code = "host-stays"

    def __init__(self) -> None:
        super().__init__("The host stays host: they cannot be removed or demoted.")


class CannotUnmuteAnother(NotAllowed):
    code = "cannot-unmute-another"

    def __init__(self) -> None:
        super().__init__("Only they themselves can open their microphone.")


class BlockedByHost(NotAllowed):
    code = "blocked"

    def __init__(self) -> None:
        super().__init__("You cannot join this Space.")


class RemovedFromSpace(NotAllowed):
    code = "removed"

    def __init__(self) -> None:
        super().__init__("You were removed from this Space.")


class ProtectedAccount(NotAllowed):
    code = "protected-account"

    def __init__(self) -> None:
        super().__init__("Protected accounts cannot host; they may listen.")


class Conflict(SpaceError):
    """Right request, wrong moment."""


class IllegalTransition(Conflict):
    code = "illegal-transition"

    def __init__(self, detail: str, state: SpaceState) -> None:
        super().__init__(detail, state=state.value)


class NotLive(Conflict):
    code = "not-live"

    def __init__(self, state: SpaceState) -> None:
        super().__init__(f"This Space is {state.value}, not live.", state=state.value)


class StageFull(Conflict):
    code = "stage-full"

    def __init__(self) -> None:
        super().__init__("All speakers' seats are taken.")


class CoHostsFull(Conflict):
    code = "co-hosts-full"

    def __init__(self) -> None:
        super().__init__("A Space has at most two co-hosts.")


class TargetNotOnStage(Conflict):
    code = "target-not-on-stage"

    def __init__(self) -> None:
        super().__init__("This person is not on stage.")


class ProfileRequired(Conflict):
    code = "profile-required"

    def __init__(self) -> None:
        super().__init__("Make a profile first: PUT /v1/me.")


class HandleTaken(Conflict):
    code = "handle-taken"

    def __init__(self) -> None:
        super().__init__("Somebody else has this handle.")


class IdempotencyKeyReused(Conflict):
    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body.")


class StaleRevision(Conflict):
    code = "stale-revision"

    def __init__(self) -> None:
        super().__init__("It has changed since you read it: read it again.")


class Unavailable(SpaceError):
    """Nothing wrong with the request; it may be repeated as it is."""


class Contended(Unavailable):
    code = "contended"

    def __init__(self) -> None:
        super().__init__("Too many people changed this at once; try again.")


class DependencyUnavailable(Unavailable):
    code = "dependency-unavailable"

    def __init__(self) -> None:
        super().__init__("A service that this needs does not answer; try again.")

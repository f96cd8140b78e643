"""
Everything that can be refused, each with a code of its own.

    SpaceError
    ├── NotFound      SpaceNotFound  ProfileNotFound  ParticipantNotFound
    │                 UserNotFound  InviteNotFound  DeviceNotFound
    │                 ReportNotFound
    ├── NotAllowed    HostOnly  ModeratorOnly  HostStays  CannotUnmuteAnother
    │                 BlockedByHost  RemovedFromSpace  ProtectedAccount
    │                 NotYours  CannotInvite  CannotFollow  UpdateRequired
    │                 AccountSuspended
    ├── Conflict      IllegalTransition  NotLive  StageFull  CoHostsFull
    │                 TargetNotOnStage  ProfileRequired  HandleTaken
    │                 NotInSpace  NotYourself  AlreadyOnStage
    │                 RequestClosed  InviteClosed
    │                 ListFull  NotScheduled  ScheduleOutOfRange
    │                 IdempotencyKeyReused  StaleRevision  ErasureRunning
    │                 ReportClosed  TooManyLive
    └── Unavailable   Contended  DependencyUnavailable
"""

from typing import Any

from .states import InviteState, RequestState, SpaceState


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


class UserNotFound(NotFound):
    code = "user-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such person.")


class InviteNotFound(NotFound):
    code = "invite-not-found"

    def __init__(self) -> None:
        super().__init__("This person was not invited to this Space.")


class DeviceNotFound(NotFound):
    code = "device-not-found"

    def __init__(self) -> None:
        super().__init__("A device's id is 1 to 64 letters, digits, - and _.")


class ReportNotFound(NotFound):
    code = "report-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such report.")


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


class AccountSuspended(NotAllowed):
    code = "account-suspended"

    def __init__(self) -> None:
        super().__init__("This account is suspended.")


class NotYours(NotAllowed):
    code = "not-yours"

    def __init__(self) -> None:
        super().__init__("Only the person themselves can do this.")


class CannotInvite(NotAllowed):
    """Blocked or removed; not told apart, so that blocks stay private."""

    code = "cannot-invite"

    def __init__(self) -> None:
        super().__init__("Somebody on the list cannot be invited to this Space.")


class CannotFollow(NotAllowed):
    code = "cannot-follow"

    def __init__(self) -> None:
        super().__init__("You cannot follow this person.")


class UpdateRequired(NotAllowed):
    """The app is too old, or its platform cannot do this; `minimum` names a version."""

    code = "update-required"

    def __init__(self, capability: str, minimum: str | None) -> None:
        how = f"version {minimum} or newer" if minimum else "another platform"
        super().__init__(
            f"This app cannot {capability} yet: it takes {how}.", minimum=minimum
        )


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


class ReportClosed(Conflict):
    code = "report-closed"

    def __init__(self) -> None:
        super().__init__("This report was closed with another note.")


class ErasureRunning(Conflict):
    code = "erasure-running"

    def __init__(self) -> None:
        super().__init__("Your earlier account is being erased; try again in a minute.")


class IdempotencyKeyReused(Conflict):
    code = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body.")


class StaleRevision(Conflict):
    code = "stale-revision"

    def __init__(self) -> None:
        super().__init__("It has changed since you read it: read it again.")


class NotInSpace(Conflict):
    code = "not-in-space"

    def __init__(self) -> None:
        super().__init__("Join the Space first, and not anonymously.")


class NotYourself(Conflict):
    code = "not-yourself"

    def __init__(self) -> None:
        super().__init__("Nobody follows or blocks themselves.")


class AlreadyOnStage(Conflict):
    code = "already-on-stage"

    def __init__(self) -> None:
        super().__init__("They are on stage already.")


class RequestClosed(Conflict):
    """Somebody was quicker; `state` says what became of the request."""

    code = "speak-request-closed"

    def __init__(self, state: RequestState | None) -> None:
        members = {"state": state.value} if state else {}
        super().__init__("This person is not asking to speak any more.", **members)


class InviteClosed(Conflict):
    """Somebody was quicker, or it is too late; `state` says what became of it."""

    code = "invite-closed"

    def __init__(self, state: InviteState) -> None:
        super().__init__(f"This invite is {state.value}.", state=state.value)


class ListFull(Conflict):
    code = "list-full"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"There are {limit} {what} already.", limit=limit)


class NotScheduled(Conflict):
    code = "not-scheduled"

    def __init__(self) -> None:
        super().__init__("This Space is not waiting for an appointed time.")


class ScheduleOutOfRange(Conflict):
    code = "schedule-out-of-range"

    def __init__(self) -> None:
        super().__init__("A Space starts at least 5 minutes, at most 365 days ahead.")


class TooManyLive(Conflict):
    code = "too-many-live"

    def __init__(self, limit: int) -> None:
        super().__init__(f"You have {limit} Spaces live: end one first.", limit=limit)


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

"""
What can be refused beyond the rules of a Space: media requests and credentials.

    SpaceError
    ├── CredentialError  IdTokenMissing  IdTokenInvalid  IdTokenExpired
    │                    GrantMissing  GrantInvalid  GrantExpired
    │                    ListenTokenMissing  ListenTokenInvalid
    │                    ListenTokenExpired
    │                    TaskTokenInvalid
    ├── NotAllowed       GrantForOtherSpace  GrantForbids
    ├── Conflict         StaleGrant
    ├── Unavailable      WorkerStarting  WorkerUnreachable  NoCapacity
    └── WorkerRefused    carries one of `spaces_contract.control.ControlError`
"""

from typing import Final

from spaces_contract.control import ControlError

from ..domain.errors import Conflict, NotAllowed, SpaceError, Unavailable

# Most workers are up within 2 s; Retry-After knows whole seconds only.
STARTING_MS: Final = 200


class CredentialError(SpaceError):
    """The bearer token is not there, or is no proof of anything."""


class IdTokenMissing(CredentialError):
    code = "id-token-missing"

    def __init__(self) -> None:
        super().__init__("Send an ID token: Authorization: Bearer <token>.")


class IdTokenInvalid(CredentialError):
    code = "invalid-id-token"

    def __init__(self) -> None:
        super().__init__("This is not an ID token of this project.")


class IdTokenExpired(CredentialError):
    code = "id-token-expired"

    def __init__(self) -> None:
        super().__init__("The ID token has expired: sign in again.")


class GrantMissing(CredentialError):
    code = "grant-missing"

    def __init__(self) -> None:
        super().__init__("Send the grant from join: Authorization: Bearer <grant>.")


class GrantInvalid(CredentialError):
    code = "invalid-grant"

    def __init__(self) -> None:
        super().__init__("This is not a grant that join gave out.")


class GrantExpired(CredentialError):
    code = "grant-expired"

    def __init__(self) -> None:
        super().__init__("The grant has expired: join again.")


class ListenTokenMissing(CredentialError):
    code = "listen-token-missing"

    def __init__(self) -> None:
        super().__init__(
            "Send a listen token: ?t=<token>, or the cookie that it came in."
        )


class ListenTokenInvalid(CredentialError):
    code = "invalid-listen-token"

    def __init__(self) -> None:
        super().__init__("This is not a listen token of this Space.")


class ListenTokenExpired(CredentialError):
    code = "listen-token-expired"

    def __init__(self) -> None:
        super().__init__("The listen token has expired: get another one.")


class OperatorKeyInvalid(CredentialError):
    code = "invalid-operator-key"

    def __init__(self) -> None:
        super().__init__("Send an operator's key: Authorization: Bearer <key>.")


class TaskTokenInvalid(CredentialError):
    code = "invalid-task-token"

    def __init__(self) -> None:
        super().__init__("Only the task queue may call this.")


class GrantForOtherSpace(NotAllowed):
    code = "grant-for-other-space"

    def __init__(self) -> None:
        super().__init__("The grant is for another Space.")


class GrantForbids(NotAllowed):
    code = "grant-forbids"

    def __init__(self) -> None:
        super().__init__("The grant does not allow this kind of session.")


class StaleGrant(Conflict):
    code = "stale-grant"

    def __init__(self) -> None:
        super().__init__("The Space has another worker by now: join again.")


class WorkerStarting(Unavailable):
    code = "worker-starting"

    def __init__(self) -> None:
        super().__init__(
            "The Space's worker is starting; try again.", retry_after_ms=STARTING_MS
        )


class WorkerUnreachable(Unavailable):
    code = "worker-unreachable"

    def __init__(self) -> None:
        super().__init__("The Space's worker does not answer; try again.")


class NoCapacity(Unavailable):
    code = "no-capacity"

    def __init__(self) -> None:
        super().__init__("All places for live Spaces are taken; try again shortly.")


class WorkerRefused(SpaceError):
    """The worker refused a session, for the reason in `code`."""

    def __init__(self, code: ControlError, detail: str) -> None:
        super().__init__(detail)
        self.code = code.value
        self.reason = code

"""How the two applications learn who calls, as interfaces which they define."""

from typing import Protocol

from spaces_contract.ids import UserId


class IdTokens(Protocol):
    """Who a caller is."""

    def verify(self, token: str) -> UserId:
        """
        Return the uid that the token proves.

        Raises:
            IdTokenInvalid: it proves nothing here.
            IdTokenExpired: it did once.
            DependencyUnavailable: the issuer's certificates cannot be read.
        """
        ...


class TaskTokens(Protocol):
    """Whether a caller is the task queue."""

    def verify(self, token: str) -> None:
        """
        Return if the token is the queue's.

        Raises:
            TaskTokenInvalid: it is not.
            DependencyUnavailable: the issuer's certificates cannot be read.
        """
        ...

"""
What is wrong with a request before any use case sees it.

    SpaceError
    └── BadRequest  MalformedJson  InvalidField  UnknownField  InvalidPageToken
                    InvalidHeader  UnsupportedMediaType  BodyTooLarge
                    RateLimited  AppCheckRequired
    └── NotFound    NotConfigured
"""

import math
from collections.abc import Sequence

from ..domain.errors import NotFound, SpaceError


class BadRequest(SpaceError):
    """The request cannot be understood."""


class MalformedJson(BadRequest):
    code = "malformed-json"

    def __init__(self) -> None:
        super().__init__("The body is not JSON.")


class InvalidField(BadRequest):
    """A field is missing, of the wrong type, or out of bounds; `errors` says which."""

    code = "invalid-field"

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        super().__init__("Some fields cannot be accepted.", errors=list(errors))


class UnknownField(BadRequest):
    """The request has a field that does not exist; `errors` says which."""

    code = "unknown-field"

    def __init__(self, errors: Sequence[dict[str, str]]) -> None:
        super().__init__("Some fields do not exist.", errors=list(errors))


class InvalidPageToken(BadRequest):
    code = "invalid-page-token"

    def __init__(self) -> None:
        super().__init__("This page_token did not come from this list.")


class InvalidHeader(BadRequest):
    code = "invalid-header"


class UnsupportedMediaType(BadRequest):
    code = "unsupported-media-type"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"Send Content-Type: {wanted}.")


class BodyTooLarge(BadRequest):
    code = "body-too-large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"A body has at most {limit_bytes} bytes.")


class NotConfigured(NotFound):
    """This deployment has nothing of the kind."""

    code = "not-configured"

    def __init__(self, what: str, name: str) -> None:
        super().__init__(f"No {what} belongs to this deployment: {name} is not set.")


class AppCheckRequired(BadRequest):
    """Only apps of this deployment may call this, and they prove it."""

    code = "app-check-required"

    def __init__(self) -> None:
        super().__init__("Send an App Check token: X-Firebase-AppCheck: <token>.")


class RateLimited(BadRequest):
    """Too many requests; `retry_after_s` is how long to wait."""

    code = "rate-limited"

    def __init__(self, wait_s: float) -> None:
        self.retry_after_s = max(1, math.ceil(wait_s))
        super().__init__("Too many requests: slow down.")

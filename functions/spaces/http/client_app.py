"""Which app is calling, as it says itself, and what such an app can do."""

import re
from collections.abc import Callable
from typing import Final

import flask

from ..domain.capability import (
    Capability,
    CapabilityTable,
    Version,
    must_be_able,
    version_of,
)
from .errors import InvalidHeader
from .operations import Call, Operation

PLATFORM_HEADER: Final = "Parley-Platform"
VERSION_HEADER: Final = "Parley-App-Version"
PLATFORM_PATTERN: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
VERSION_PATTERN: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")


def client_app(request: flask.Request) -> tuple[str | None, Version | None]:
    """
    Return platform and version of the calling app, as far as it tells.

    Raises:
        InvalidHeader: its platform or version is none.
    """
    platform = request.headers.get(PLATFORM_HEADER)
    version = request.headers.get(VERSION_HEADER)
    if platform is not None and not PLATFORM_PATTERN.fullmatch(platform):
        raise InvalidHeader(f"{PLATFORM_HEADER} is a word, such as ios.")
    if version is None:
        return platform, None
    if not VERSION_PATTERN.fullmatch(version):
        raise InvalidHeader(f"{VERSION_HEADER} is like 1.2.3.")
    return platform, version_of(version)


Requirement = Callable[[Call, Capability], None]


def requirement(table: CapabilityTable) -> Requirement:
    """Return a check that the calling app can do something; raises UpdateRequired."""

    def require(call: Call, needed: Capability) -> None:
        platform, version = client_app(call.request)
        must_be_able(table, needed, platform=platform, version=version)

    return require


def guard(table: CapabilityTable) -> Callable[[Operation, Call], None]:
    """Return a check of every call that needs a capability."""
    require = requirement(table)

    def check(operation: Operation, call: Call) -> None:
        if operation.needs is not None:
            require(call, operation.needs)

    return check

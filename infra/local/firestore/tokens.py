"""Resume tokens and read times: naming a past version, refusing a forgotten one."""

import struct
from typing import Final

from .errors import invalid, precondition_failed

_TOKEN: Final = struct.Struct(">QQ")


def make_token(database_id: int, version: int) -> bytes:
    """Return the resume token for `version` of the data with this id."""
    return _TOKEN.pack(database_id, version)


def read_token(token: bytes, database_id: int) -> int | None:
    """
    Return the version in a token; None if it is of other data.

    Raises:
        StatusError: INVALID_ARGUMENT, this was never a token.
    """
    if len(token) != _TOKEN.size:
        raise invalid("Invalid resume token.")
    origin, version = _TOKEN.unpack(token)
    return version if origin == database_id else None


def check_read_time(version: int, *, now_us: int, horizon: int) -> int:
    """
    Return `version` if it can be read.

    Raises:
        StatusError: INVALID_ARGUMENT, it is in the future; FAILED_PRECONDITION, it is
            older than what history is kept of.
    """
    if version > now_us:
        raise invalid("read_time cannot be in the future.")
    if version < horizon:
        raise precondition_failed("The requested read_time is too old.")
    return version

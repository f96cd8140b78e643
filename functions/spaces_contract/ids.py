"""Typed ids, and the shapes they may have when they come from outside."""

import re
from typing import Final, NewType

SpaceId = NewType("SpaceId", str)
UserId = NewType("UserId", str)
SessionId = NewType("SessionId", str)  # one WHIP or WHEP resource

SPACE_ID_LENGTH: Final = 13
SPACE_ID_ALPHABET: Final = (
    "123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
SPACE_ID_PATTERN: Final = re.compile(r"[1-9A-Za-z]{13}")
# Firebase uids are 1 to 128 characters; ours also travel in URLs and object names, and
# name documents: those of the form `__.*__` Firestore keeps for itself.
USER_ID_PATTERN: Final = re.compile(r"(?!__.*__$)[A-Za-z0-9_-]{1,128}")
HANDLE_PATTERN: Final = re.compile(r"(?!__.*__$)[A-Za-z0-9_]{1,15}")
SESSION_ID_PATTERN: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")

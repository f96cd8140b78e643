"""Under which headings the OpenAPI document groups its calls, for whoever is new."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .operations import Operation


@dataclass(frozen=True, slots=True)
class Tag:
    """
    One heading.

    Args:
        paths: Patterns of whole paths; calls stand in the order of these.
    """

    name: str
    about: str
    paths: tuple[str, ...]


SPACE: Final = r"/v1/spaces/\{space_id\}"
# In the order in which somebody new needs them; the first that fits a path has it.
TAGS: Final = (
    Tag(
        "Profile",
        "Who you are here, what your app may do, and where pushes go.",
        (
            "/v1/me",
            "/v1/me/capabilities",
            "/v1/me/devices/.*",
            "/v1/me/inbox",
            "/v1/me/export",
        ),
    ),
    Tag(
        "Spaces",
        "Open a Space, schedule one, find those of others.",
        (
            "/v1/spaces",
            SPACE,
            f"{SPACE}/start",
            f"{SPACE}/end",
            f"{SPACE}/reminder",
            "/v1/spaces/search",
            "/v1/me/spaces",
        ),
    ),
    Tag(
        "Joining and media",
        "Come in, then talk by WHIP and hear by WHEP, or hear by HLS.",
        (
            f"{SPACE}/join",
            f"{SPACE}/whep",
            f"{SPACE}/whip",
            f"{SPACE}/media/.*",
            f"{SPACE}/me",
            f"{SPACE}/leave",
            f"{SPACE}/listen-token",
            rf"{SPACE}/listen\.m3u8",
            f"{SPACE}/keys/.*",
        ),
    ),
    Tag(
        "Stage",
        "Who may speak: roles, mutes, hands that are raised, invites, reactions.",
        (
            f"{SPACE}/participants.*",
            f"{SPACE}/mute-all",
            f"{SPACE}/speak-requests.*",
            f"{SPACE}/invites.*",
            f"{SPACE}/reactions",
        ),
    ),
    Tag(
        "Recording",
        "Record with everyone's own consent; replay, clips and receipts.",
        (
            f"{SPACE}/recording.*",
            "/v1/recordings.*",
            "/v1/me/receipts",
            r"/\.well-known/parley-keys\.json",
        ),
    ),
    Tag(
        "People",
        "Whom you follow and block, people by handle, and complaints.",
        (
            "/v1/me/following.*",
            "/v1/me/followers",
            "/v1/me/blocks.*",
            "/v1/users/search",
            f"{SPACE}/reports",
        ),
    ),
    Tag("As X API v2", "Reads as clients of X's API know them.", ("/2/.*",)),
    Tag(
        "Pages",
        "Share pages with link previews, and your apps' links.",
        ("/s/.*", r"/\.well-known/.*"),
    ),
    Tag("Admin", "Server to server, with an operator's key.", ("/v1/admin/.*",)),
)
_PATTERNS: Final = tuple(
    (tag, re.compile(pattern)) for tag in TAGS for pattern in tag.paths
)


def tag_of(path: str) -> Tag:
    """Return the heading of a path; raises ValueError where none fits."""
    return _PATTERNS[_place(path)][0]


def in_order(operations: Sequence[Operation]) -> list[Operation]:
    """Return `operations` in the order of the headings."""
    return sorted(operations, key=lambda each: _place(each.path))


def _place(path: str) -> int:
    for place, (_, pattern) in enumerate(_PATTERNS):
        if pattern.fullmatch(path):
            return place
    raise ValueError(f"no heading for {path}: give it one in {__name__}")

"""States as tables; nothing else says which may follow which."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class SpaceState(StrEnum):
    """Forward-only life of a Space."""

    SCHEDULED = "scheduled"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"


class SpaceEvent(StrEnum):
    """What moves a Space from one state to the next."""

    START = "start"
    END = "end"
    CANCEL = "cancel"


TRANSITIONS: Final[Mapping[tuple[SpaceState, SpaceEvent], SpaceState]] = (
    MappingProxyType(
        {
            (SpaceState.SCHEDULED, SpaceEvent.START): SpaceState.LIVE,
            (SpaceState.SCHEDULED, SpaceEvent.CANCEL): SpaceState.CANCELLED,
            (SpaceState.LIVE, SpaceEvent.END): SpaceState.ENDED,
        }
    )
)


OVER: Final = frozenset({SpaceState.ENDED, SpaceState.CANCELLED})


class RequestState(StrEnum):
    """Life of a speak request; whoever asks again starts over."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class RequestEvent(StrEnum):
    """What closes a speak request."""

    ACCEPT = "accept"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


REQUEST_TRANSITIONS: Final[Mapping[tuple[RequestState, RequestEvent], RequestState]] = (
    MappingProxyType(
        {
            (RequestState.PENDING, RequestEvent.ACCEPT): RequestState.ACCEPTED,
            (RequestState.PENDING, RequestEvent.DECLINE): RequestState.DECLINED,
            (RequestState.PENDING, RequestEvent.WITHDRAW): RequestState.WITHDRAWN,
        }
    )
)


class InviteState(StrEnum):
    """Life of an invite; whoever is invited again starts over."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"  # by its time, or with its Space; never stored


class InviteEvent(StrEnum):
    """What closes an invite."""

    ACCEPT = "accept"
    DECLINE = "decline"
    REVOKE = "revoke"


INVITE_TRANSITIONS: Final[Mapping[tuple[InviteState, InviteEvent], InviteState]] = (
    MappingProxyType(
        {
            (InviteState.PENDING, InviteEvent.ACCEPT): InviteState.ACCEPTED,
            (InviteState.PENDING, InviteEvent.DECLINE): InviteState.DECLINED,
            (InviteState.PENDING, InviteEvent.REVOKE): InviteState.REVOKED,
            # Only before the Space starts, while nobody is on stage by it.
            (InviteState.ACCEPTED, InviteEvent.REVOKE): InviteState.REVOKED,
        }
    )
)

"""A push to one device, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from spaces_contract.ids import UserId

from .announcement import URGENCY, Announcement, Urgency
from .push_texts import texts
from .space import Space


class Platform(StrEnum):
    """What a device runs."""

    ANDROID = "android"
    IOS = "ios"
    WEB = "web"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """
    Where a person can be reached.

    Args:
        locale: BCP 47, as the app reported it.
        time_zone: IANA name, as the app reported it.
        revision: Opaque name of the stored version.
    """

    user_id: UserId
    device_id: str
    token: str
    platform: Platform
    locale: str = "en"
    time_zone: str = "UTC"
    revision: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """
    One message to one device.

    Args:
        id: The same in every copy of it, for handlers that drop what they have seen.
        tag: On a screen a new message replaces an old one of the same tag.
        link: Where a tap leads.
        sent_at: Its lifetime counts from here.
    """

    device: Device
    id: str
    kind: str
    space_id: str
    tag: str
    title: str
    body: str
    link: str
    urgency: Urgency
    sent_at: datetime


class PushOutcome(StrEnum):
    """What the push service said."""

    SENT = "sent"
    UNREGISTERED = "unregistered"  # for good: the app is gone from the device
    LATER = "later"  # too many at once, or out of order: the same again, later
    REFUSED = "refused"  # for good: a mistake of ours


def push_of(
    announcement: Announcement,
    space: Space,
    device: Device,
    *,
    by: str,
    public_url: str,
    now: datetime,
) -> Push:
    """
    Return what `device` is to be told, in its own language and time zone.

    Args:
        by: Name of the person whose doing it is.
    """
    title, body = texts(
        announcement.kind,
        space,
        by=by,
        locale=device.locale,
        time_zone=device.time_zone,
    )
    return Push(
        device=device,
        id=announcement.id,
        kind=announcement.kind.value,
        space_id=space.id,
        tag=announcement.tag,
        title=title,
        body=body,
        link=f"{public_url}/s/{space.id}",
        urgency=URGENCY[announcement.kind],
        sent_at=now,
    )

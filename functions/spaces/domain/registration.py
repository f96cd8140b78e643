"""Devices as their apps report them; a push token is one person's at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import UserId

from .push import Platform

MAX_DEVICES: Final = 20  # of one person: each is read and pushed to whenever they are
# A device that comes again unchanged is written once a day: else one in daily use would
# be the oldest.
SEEN_EVERY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """Names one device of one person."""

    user_id: UserId
    device_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """
    What an app says of the device that it runs on; bounds are checked already.

    Args:
        token: FCM's; empty where the person allows no pushes.
        locale: BCP 47.
        time_zone: IANA name.
    """

    key: DeviceKey
    token: str
    platform: Platform
    app_version: str
    locale: str
    time_zone: str
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """
    What storing a registration does to others.

    Args:
        device: To be stored.
        evicted: Had the token before, and is forgotten: a phone that changed hands
            must not show one person's pushes to another.
        freed: A token that the device had before and has no more.
        crowded_out: Makes room, and is forgotten with its token.
    """

    device: Registration
    evicted: DeviceKey | None = None
    freed: str | None = None
    crowded_out: Registration | None = None


def register(
    device: Registration,
    *,
    stored: Registration | None,
    owner: DeviceKey | None,
    oldest: Sequence[Registration],
) -> Registered:
    """
    Decide what becomes of a device's and of a token's earlier entries.

    Args:
        stored: The same device as it was registered before.
        owner: Whoever has this token until now.
        oldest: The first `MAX_DEVICES` of the person's devices, the oldest first; of a
            device that is not new, nothing.
    """
    same = (
        stored is not None
        and device == replace(stored, updated_at=device.updated_at)
        and device.updated_at - stored.updated_at < SEEN_EVERY
    )
    others = [each for each in oldest if each.key not in (device.key, owner)]
    freed = stored.token if stored and stored.token != device.token else None
    return Registered(
        device=stored if stored is not None and same else device,
        evicted=owner if owner != device.key else None,
        freed=freed or None,
        crowded_out=others[0] if len(others) >= MAX_DEVICES else None,
    )

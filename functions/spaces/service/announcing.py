"""Telling people of a Space, a page at a time: everybody once, whatever crashes."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from spaces_contract.ids import UserId

from ..domain import fan_out as rules
from ..domain.announcement import Announcement, is_news
from ..domain.effects import TellPage
from ..domain.fan_out import PAGE_PEOPLE, FanOut, PageTold
from ..domain.push import Device, PushOutcome, push_of
from ..domain.space import Space
from .announcing_ports import DeviceStore, FanOutStore, PushSender, SubscriberStore
from .personal_news import PersonalNews
from .ports import Clock, EffectQueue, SpaceStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncingService:
    """
    What tasks do to tell people.  Each may run twice, late, or beside itself.

    A page is told by whoever holds its lease; how far it came is stored after the
    push service has answered.  Only a crash between the two tells a page again, by
    messages that take the place of the first on the screen and have their ids.
    """

    spaces: SpaceStore
    subscribers: SubscriberStore
    personal: PersonalNews
    devices: DeviceStore
    fan_outs: FanOutStore
    open_pushes: Callable[[], PushSender]  # when first needed: few tasks push
    effects: EffectQueue
    now: Clock
    new_token: Callable[[], str]
    public_url: str

    def announce(self, announcement: Announcement) -> None:
        """Begin to tell it; again is harmless.  Raises DependencyUnavailable."""
        self.effects.put(page_effect(announcement, 0, self.now()))

    def tell(self, announcement: Announcement, page: int) -> None:
        """
        Tell one page, and see that the next one is told.

        Raises:
            SpaceNotFound, DependencyUnavailable.
            Contended: somebody else is at this page; the task is to come again.
        """
        now, owner = self.now(), self.new_token()
        space = self.spaces.get(announcement.space_id)
        fan_out = self.fan_outs.update(
            announcement,
            lambda stored: rules.claim(
                stored, announcement, page=page, owner=owner, now=now
            ),
        )
        if fan_out.lease_owner == owner:
            fan_out = self._tell(space, fan_out, owner, now)
        if not fan_out.done:
            self.effects.put(
                page_effect(announcement, fan_out.page, fan_out.next_at or now)
            )

    def _tell(self, space: Space, fan_out: FanOut, owner: str, now: datetime) -> FanOut:
        announcement = fan_out.announcement
        by = self._by(space, fan_out, now)
        if by is None:
            logger.info("no news any more", extra={"announcement": announcement.id})
            return self.fan_outs.update(
                announcement, lambda stored: rules.abandoned(stored, owner=owner)
            )
        told = self._told(space, fan_out, by, now)
        later = self.now()
        after = self.fan_outs.update(
            announcement,
            lambda stored: rules.told(stored, told, owner=owner, now=later),
        )
        logger.info(
            "page told",
            extra={
                "announcement": announcement.id,
                "page": fan_out.page,
                "sent": after.sent - fan_out.sent,
                "waiting": len(after.waiting),
            },
        )
        return after

    def _by(self, space: Space, fan_out: FanOut, now: datetime) -> str | None:
        """Return the name of whose doing it is; None where it is no news any more."""
        announcement = fan_out.announcement
        if not is_news(announcement, space, began_at=fan_out.began_at, now=now):
            return None
        if announcement.user_id is None:
            return space.host_display_name
        return self.personal.by(announcement, announcement.user_id, space, now=now)

    def _told(self, space: Space, fan_out: FanOut, by: str, now: datetime) -> PageTold:
        people = self._people(space, fan_out)
        tried = fan_out.due(now)
        again = {(each.user_id, each.device_id) for each in tried}
        fresh = set(people)
        wanted = [*people, *sorted({uid for uid, _ in again} - fresh)]
        devices = [
            device
            for device in self.devices.of(wanted)
            if device.user_id in fresh or (device.user_id, device.device_id) in again
        ]
        pushes = [
            push_of(
                fan_out.announcement,
                space,
                device,
                by=by,
                public_url=self.public_url,
                now=now,
            )
            for device in devices
        ]
        outcomes = self.open_pushes().send(pushes) if pushes else {}
        for device in devices:
            self._forget_if_dead(device, outcomes[device.user_id, device.device_id])
        return PageTold(
            last=people[-1] if people and not _to_one(fan_out) else None,
            complete=_to_one(fan_out)
            or (fan_out.takes_people and len(people) < PAGE_PEOPLE),
            tried=tried,
            outcomes=outcomes,
        )

    def _people(self, space: Space, fan_out: FanOut) -> Sequence[UserId]:
        if not fan_out.takes_people:
            return ()
        if fan_out.announcement.user_id is not None:
            return (fan_out.announcement.user_id,)
        if fan_out.announcement.kind.to_host:
            return (space.creator_id,)
        return self.subscribers.page(space.id, limit=PAGE_PEOPLE, after=fan_out.cursor)

    def _forget_if_dead(self, device: Device, outcome: PushOutcome) -> None:
        if outcome is PushOutcome.UNREGISTERED:
            self.devices.drop(device)


def _to_one(fan_out: FanOut) -> bool:
    announcement = fan_out.announcement
    return announcement.kind.to_host or announcement.user_id is not None


def page_effect(announcement: Announcement, page: int, at: datetime) -> TellPage:
    """Return the task of one page; that of page 0 begins to tell everybody."""
    return TellPage(
        announcement.space_id,
        announcement.kind.value,
        announcement.version,
        page,
        at,
        announcement.user_id,
    )

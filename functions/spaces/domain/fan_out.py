"""How an announcement reaches everybody once: page by page, one sender at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from spaces_contract.ids import UserId

from .announcement import Announcement
from .errors import Contended
from .push import PushOutcome

PAGE_PEOPLE: Final = 300
MAX_WAITING: Final = 1_000  # devices to try again; beyond that no new page is taken
# Longer than a task may run: a lease ends only after its holder has.
LEASE: Final = timedelta(seconds=45)
FIRST_PAUSE_S: Final = 2.0
MAX_PAUSE_S: Final = 300.0
SLOW_SHARE: Final = 0.5  # more than this to be sent later: everybody waits


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A device that could not be told yet."""

    user_id: UserId
    device_id: str
    attempts: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """
    How far an announcement is, as stored.

    Args:
        page: Grows by one with every page that is told; a task knows its page.
        cursor: The last person of the pages told; None before the first.
        complete: Nobody comes after `cursor`.
        slowdowns: Pages in a row which the push service wanted slower.
        next_at: When the next page is due.
        lease_owner: Who tells the current page; None between pages.
    """

    announcement: Announcement
    began_at: datetime
    page: int = 0
    cursor: UserId | None = None
    complete: bool = False
    waiting: tuple[Waiting, ...] = ()
    slowdowns: int = 0
    next_at: datetime | None = None
    lease_owner: str | None = None
    leased_until: datetime | None = None
    sent: int = 0

    @property
    def done(self) -> bool:
        """Whether nobody is left to tell."""
        return self.complete and not self.waiting

    def due(self, now: datetime) -> tuple[Waiting, ...]:
        """Return whom to try again by now."""
        return tuple(each for each in self.waiting if each.due_at <= now)

    @property
    def takes_people(self) -> bool:
        """Whether the next page has new people."""
        return not self.complete and len(self.waiting) < MAX_WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTold:
    """
    What became of one page.

    Args:
        last: The last new person of the page; None where it had none.
        complete: Nobody comes after them.
        tried: Whom of those waiting it tried again.
        outcomes: By (user_id, device_id).
    """

    last: UserId | None
    complete: bool
    tried: Sequence[Waiting]
    outcomes: Mapping[tuple[UserId, str], PushOutcome]


def claim(
    stored: FanOut | None,
    announcement: Announcement,
    *,
    page: int,
    owner: str,
    now: datetime,
) -> FanOut:
    """
    Take the lease of `page`; what is told already is returned as it is.

    Raises:
        Contended: somebody else is at it, or was until lately; ask again.
    """
    fan_out = stored or FanOut(announcement=announcement, began_at=now)
    if stored is None and page > 0:  # forgotten long ago: nothing is told anew
        return replace(fan_out, complete=True)
    if fan_out.done or fan_out.page != page:
        return fan_out
    taken = fan_out.leased_until is not None and fan_out.leased_until > now
    if taken and fan_out.lease_owner != owner:
        raise Contended
    return replace(fan_out, lease_owner=owner, leased_until=now + LEASE)


def told(stored: FanOut | None, page: PageTold, *, owner: str, now: datetime) -> FanOut:
    """
    Return the fan-out after a page that `owner` told.

    Raises:
        Contended: the lease was lost meanwhile; whoever has it tells the page.
    """
    if stored is None or stored.lease_owner != owner:
        raise Contended
    later = [k for k, out in page.outcomes.items() if out is PushOutcome.LATER]
    slow = len(later) > SLOW_SHARE * len(page.outcomes)
    slowdowns = stored.slowdowns + 1 if slow else 0
    waiting = _waiting(stored, page, later, now)
    after = replace(
        stored,
        page=stored.page + 1,
        cursor=page.last or stored.cursor,
        complete=stored.complete or page.complete,
        waiting=waiting,
        slowdowns=slowdowns,
        lease_owner=None,
        leased_until=None,
        sent=stored.sent
        + sum(out is PushOutcome.SENT for out in page.outcomes.values()),
    )
    return replace(after, next_at=_next_at(after, now))


def abandoned(stored: FanOut | None, *, owner: str) -> FanOut:
    """Return the fan-out at its end, whoever is left: it is no news any more."""
    if stored is None or stored.lease_owner != owner:
        raise Contended
    return replace(
        stored, complete=True, waiting=(), lease_owner=None, leased_until=None
    )


def _waiting(
    stored: FanOut,
    page: PageTold,
    later: Sequence[tuple[UserId, str]],
    now: datetime,
) -> tuple[Waiting, ...]:
    attempts = {(each.user_id, each.device_id): each.attempts for each in page.tried}
    kept = [e for e in stored.waiting if (e.user_id, e.device_id) not in attempts]
    for user_id, device_id in later:
        tried = attempts.get((user_id, device_id), 0) + 1
        kept.append(
            Waiting(
                user_id=user_id,
                device_id=device_id,
                attempts=tried,
                due_at=now + _pause(tried),
            )
        )
    return tuple(kept)


def _next_at(fan_out: FanOut, now: datetime) -> datetime:
    if fan_out.takes_people and not fan_out.done:
        return now + _pause(fan_out.slowdowns)
    first_due = min((each.due_at for each in fan_out.waiting), default=now)
    return max(now, first_due)


def _pause(times: int) -> timedelta:
    """Return how long to wait after being told to slow down `times` in a row."""
    if times == 0:
        return timedelta(0)
    return timedelta(seconds=min(FIRST_PAUSE_S * 2 ** min(times - 1, 10), MAX_PAUSE_S))

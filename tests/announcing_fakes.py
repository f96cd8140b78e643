"""Doubles of what scheduling and telling people need, and phones that show it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from spaces.domain.announcement import Announcement
from spaces.domain.fan_out import FanOut
from spaces.domain.push import Device, Platform, Push, PushOutcome
from spaces_contract.ids import SpaceId, UserId
from tests.fakes import MemoryDatabase, rerun


class MemorySubscriberStore:
    """`SubscriberStore` in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._db = database
        self._wishes: dict[SpaceId, dict[UserId, datetime]] = defaultdict(dict)

    def add(self, space_id: SpaceId, user_id: UserId, at: datetime) -> None:
        self._wishes[space_id].setdefault(user_id, at)

    def remove(self, space_id: SpaceId, user_id: UserId) -> None:
        self._wishes[space_id].pop(user_id, None)

    def has(self, space_id: SpaceId, user_id: UserId) -> bool:
        return user_id in self._wishes[space_id]

    def page(
        self, space_id: SpaceId, *, limit: int, after: UserId | None
    ) -> Sequence[UserId]:
        wishes = sorted(self._wishes[space_id])
        return [uid for uid in wishes if after is None or uid > after][:limit]

    def recount(self, space_id: SpaceId) -> int:
        count = len(self._wishes[space_id])
        self._db.put_count(space_id, count)
        return count


class MemoryDeviceStore:
    """`DeviceStore` in memory."""

    def __init__(self) -> None:
        self.devices: dict[tuple[UserId, str], Device] = {}

    def put(self, device: Device) -> None:
        """Register it."""
        self.devices[device.user_id, device.device_id] = device

    def of(self, user_ids: Sequence[UserId]) -> Sequence[Device]:
        wanted = set(user_ids)
        return [each for each in self.devices.values() if each.user_id in wanted]

    def drop(self, device: Device) -> None:
        self.devices.pop((device.user_id, device.device_id), None)


class MemoryFanOutStore:
    """`FanOutStore` in memory; runs `decide` twice."""

    def __init__(self) -> None:
        self.fan_outs: dict[str, FanOut] = {}

    def update(
        self, announcement: Announcement, decide: Callable[[FanOut | None], FanOut]
    ) -> FanOut:
        before = self.fan_outs.get(announcement.id)
        after = rerun(lambda: decide(before))
        self.fan_outs[announcement.id] = after
        return after


class FakePushes:
    """
    `PushSender` to phones: what each was sent, and what each has on its screen.

    Args:
        answer: What becomes of a push; `SENT` reaches its phone.
    """

    def __init__(self) -> None:
        self.sent: list[Push] = []
        self.calls = 0
        self.largest_call = 0
        self.screens: dict[tuple[UserId, str], dict[str, Push]] = defaultdict(dict)
        self.answer: Callable[[Push], PushOutcome] = lambda _: PushOutcome.SENT
        self.before_call: Callable[[], None] = lambda: None
        self.after_call: Callable[[], None] = lambda: None

    def send(self, pushes: Sequence[Push]) -> Mapping[tuple[UserId, str], PushOutcome]:
        self.before_call()
        self.calls += 1
        self.largest_call = max(self.largest_call, len(pushes))
        outcomes = {}
        for push in pushes:
            key = push.device.user_id, push.device.device_id
            outcomes[key] = self.answer(push)
            if outcomes[key] is PushOutcome.SENT:
                self.sent.append(push)
                self.screens[key][push.tag] = push
        self.after_call()
        return outcomes

    def told(self, kind: str) -> Counter[UserId]:
        """Return how often each person was sent a push of this kind."""
        return Counter(p.device.user_id for p in self.sent if p.kind == kind)


def a_device(user_id: str = "ana", **fields: object) -> Device:
    """Return a device of `user_id`, an English one in London."""
    defaults: dict[str, object] = {
        "user_id": UserId(user_id),
        "device_id": "phone",
        "token": f"token-{user_id}",
        "platform": Platform.ANDROID,
        "locale": "en-GB",
        "time_zone": "Europe/London",
        "revision": "r1",
    }
    return Device(**defaults | fields)  # type: ignore[arg-type]  # by name

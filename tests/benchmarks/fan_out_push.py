"""
Telling 100,000 subscribers that a Space is live, while everything goes wrong.

Subscribers, devices and progress are in the embedded Firestore.  Tasks are delivered
twice, by two threads that overlap; the process "dies" at random before a page is sent
and before it is noted.  Phones are counted: each must show one notification.
"""

import os
import random
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from spaces.adapters.clock import random_token
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.fan_outs import FirestoreFanOutStore
from spaces.adapters.firestore.invites import FirestoreInviteStore
from spaces.adapters.firestore.members import FirestoreMemberStore
from spaces.adapters.firestore.push_devices import FirestoreDeviceStore
from spaces.adapters.firestore.spaces import FirestoreSpaceStore
from spaces.adapters.firestore.subscribers import FirestoreSubscriberStore
from spaces.domain import participant
from spaces.domain.announcement import Announcement, AnnouncementKind
from spaces.domain.effects import TellPage
from spaces.domain.errors import Contended
from spaces.domain.fan_out import LEASE
from spaces.service.announcing import AnnouncingService
from spaces.service.personal_news import PersonalNews
from spaces_contract.ids import UserId
from tests.announcing_fakes import FakePushes
from tests.builders import NOW, SPACE_ID, a_profile, a_space
from tests.conformance.firestore.servers import running
from tests.fakes import EffectLog, FakeClock, MemoryDatabase

PEOPLE: Final = 100_000
BATCH: Final = 250  # people; two documents each make the most that a commit takes
DEATHS: Final = 0.02  # of every call to the push service, before and after it
SENDERS: Final = 2
LIVE: Final = Announcement(SPACE_ID, AnnouncementKind.LIVE, 1)


class Crash(BaseException):
    """The process is gone."""


def run(people: int = PEOPLE) -> list[dict[str, Any]]:
    """Measure; answer rows of `bench.json`."""
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        os.environ["FIRESTORE_EMULATOR_HOST"] = server.address
        client: Any = BoundedClient(project="demo-bench")
        try:
            _seed(client, people)
            return _measure(client, people)
        finally:
            client.close()
            del os.environ["FIRESTORE_EMULATOR_HOST"]


def _measure(client: BoundedClient, people: int) -> list[dict[str, Any]]:
    pushes, effects = _dying_phones(), EffectLog(MemoryDatabase())
    clock = FakeClock()
    service = _service(client, pushes, effects, clock)
    service.announce(LIVE)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began_s = time.perf_counter()
    crashes = _deliver(service, effects, clock)
    took_s = time.perf_counter() - began_s
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    _check(pushes, people)
    name = f"fan-out of {people:,} pushes"
    spread = f"{crashes} crashes, {len(pushes.sent) - people} sent again, 0 shown twice"
    return [
        {
            "name": f"{name}, by {SENDERS} overlapping senders",
            "value": people / took_s,
            "unit": "notifications/s",
            "spread": spread,
        },
        {
            # The phones' side is in it: one screen and one message for each person.
            "name": f"{name}, memory grown in sender and phones",
            "value": grown_kb / 1024,
            "unit": "MB",
        },
    ]


def _deliver(service: AnnouncingService, effects: EffectLog, clock: FakeClock) -> int:
    """Deliver every task twice at least, until none is left; return the crashes."""
    crashes: list[str] = []
    delivered: dict[str, int] = {}
    lock = threading.Lock()

    def take() -> TellPage | None:
        with lock:
            for name, effect in reversed(effects.tasks.items()):
                if delivered.get(name, 0) < 2 and isinstance(effect, TellPage):
                    delivered[name] = delivered.get(name, 0) + 1
                    return effect
            return None

    def work() -> None:
        while (effect := take()) is not None:
            try:
                service.tell(LIVE, effect.page)
            except Contended:
                _again(effect)
            except Crash:
                crashes.append(effect.name)
                clock.advance(LEASE.total_seconds() + 1)
                _again(effect)

    def _again(effect: TellPage) -> None:
        with lock:
            delivered[effect.name] = 0
        time.sleep(0.01)

    threads = [threading.Thread(target=work) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(crashes)


def _dying_phones() -> FakePushes:
    dice, pushes = random.Random(1), FakePushes()

    def die_now_and_then() -> None:
        if dice.random() < DEATHS:
            raise Crash

    pushes.before_call = pushes.after_call = die_now_and_then
    return pushes


def _check(pushes: FakePushes, people: int) -> None:
    shown = [len(screen) for screen in pushes.screens.values()]
    if len(shown) != people or set(shown) != {1}:
        raise RuntimeError(f"{people - len(shown)} missed, or some shown two")
    if {push.id for push in pushes.sent} != {LIVE.id}:
        raise RuntimeError("a copy had another id")


def _service(
    client: BoundedClient, pushes: FakePushes, effects: EffectLog, clock: FakeClock
) -> AnnouncingService:
    return AnnouncingService(
        spaces=FirestoreSpaceStore(client, clock),
        subscribers=FirestoreSubscriberStore(client),
        personal=PersonalNews(
            invites=FirestoreInviteStore(client), members=FirestoreMemberStore(client)
        ),
        devices=FirestoreDeviceStore(client),
        fan_outs=FirestoreFanOutStore(client),
        open_pushes=lambda: pushes,
        effects=effects,
        now=clock,
        new_token=random_token,
        public_url="https://parley.example",
    )


def _seed(client: BoundedClient, people: int) -> None:
    """Store a live Space and so many people with a phone each who wait for it."""
    space = a_space(scheduled_start=None, schedule_version=1)
    host = participant.host_of(space, a_profile("host"), now=NOW)
    FirestoreSpaceStore(client, lambda: NOW).create(space, host, None)
    subscribers = client.collection(f"spaces/{SPACE_ID}/subscribers")
    for start in range(0, people, BATCH):
        batch = client.batch()
        for n in range(start, min(start + BATCH, people)):
            uid = UserId(f"u{n:06}")
            batch.set(subscribers.document(uid), {"uid": uid, "created_at": NOW})
            device = client.document(f"users/{uid}/devices/phone")
            fields = {"uid": uid, "token": f"t-{uid}", "platform": "android"}
            batch.set(device, fields)
        batch.commit(timeout=60.0)

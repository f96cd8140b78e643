"""Pushes through firebase-admin to a sink that takes only what FCM takes."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from infra.local.gateway.push_sink import PushSink
from infra.local.gateway.push_store import PushStore
from spaces.adapters.fcm import SEND_FOR_S, FcmPushSender
from spaces.domain.announcement import Announcement, AnnouncementKind
from spaces.domain.fan_out import LEASE
from spaces.domain.push import Device, Platform, Push, PushOutcome, push_of
from spaces.domain.states import SpaceState
from tests.announcing_fakes import a_device
from tests.builders import NOW, SPACE_ID, a_space
from tests.integration.local.gateways import PROJECT, serving

PUBLIC_URL = "https://parley.example"


class Phones:
    """A sender, and what the sink took from it."""

    def __init__(self, sender: FcmPushSender) -> None:
        self.sender = sender
        self.messages: list[dict[str, Any]] = []  # once the sink is closed

    async def told(self, *pushes: Push) -> list[PushOutcome]:
        """Send, as a task does from a thread of its own."""
        outcomes = await asyncio.to_thread(self.sender.send, pushes)
        return [outcomes[p.device.user_id, p.device.device_id] for p in pushes]


@contextlib.asynccontextmanager
async def phones(folder: Path) -> AsyncIterator[Phones]:
    """Serve a sink, and send to it."""
    store = PushStore(folder / "push.sqlite3")
    app = web.Application()
    sink = PushSink(store, project_id=PROJECT)
    app.router.add_post("/fcm/v1/projects/{project}/messages:send", sink.send)
    async with serving(app) as url:
        sender = FcmPushSender(PROJECT, fcm_url=f"{url}/fcm")
        served = Phones(sender)
        yield served
        await asyncio.to_thread(sender.close)
    served.messages = [each.message for each in store.latest(limit=10_000)]
    store.close()


def a_push(
    kind: AnnouncementKind = AnnouncementKind.LIVE,
    device: Device | None = None,
    public_url: str = PUBLIC_URL,
) -> Push:
    """Return a push of a Space to a device."""
    space = a_space(SpaceState.SCHEDULED, scheduled_start=NOW, schedule_version=1)
    return push_of(
        Announcement(SPACE_ID, kind, 1),
        space,
        device or a_device(),
        by="Host",
        public_url=public_url,
        now=NOW,
    )


@pytest.mark.parametrize("kind", AnnouncementKind)
@pytest.mark.parametrize("platform", Platform)
async def test_fcm_takes_every_kind_on_every_platform(
    kind: AnnouncementKind, platform: Platform, tmp_path: Path
) -> None:
    """
    Whatever is told, the message is valid, has its id and its link, and only the
    part of its device's platform.
    """
    async with phones(tmp_path) as both:
        outcomes = await both.told(a_push(kind, a_device(platform=platform)))

    (message,) = both.messages
    assert outcomes == [PushOutcome.SENT]
    assert message["data"]["id"] == f"{SPACE_ID}-{kind.value}-1"
    assert message["data"]["link"] == f"{PUBLIC_URL}/s/{SPACE_ID}"
    parts = {"android", "apns", "webpush"} & message.keys()
    wanted = {"android": "android", "ios": "apns", "web": "webpush"}[platform]
    assert parts == {wanted}


async def test_a_live_space_wakes_phones_for_ten_minutes(tmp_path: Path) -> None:
    """
    High priority, a lifetime of 600 s, and a tag that replaces: on each platform.
    """
    devices = [a_device(p.value, platform=p) for p in Platform]
    async with phones(tmp_path) as all_three:
        await all_three.told(*(a_push(device=device) for device in devices))

    found = {k: m[k] for m in all_three.messages for k in m if k != "data"}
    tag = f"space-{SPACE_ID}"
    android, apns, web_push = found["android"], found["apns"], found["webpush"]
    assert (android["priority"], android["ttl"]) == ("high", "600s")
    assert android["notification"]["tag"] == tag
    assert android["notification"]["channel_id"] == "live"
    expiry = str(int(NOW.timestamp()) + 600)
    assert apns["headers"] == {
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": expiry,
        "apns-collapse-id": tag,
    }
    assert apns["payload"]["aps"]["alert"]["title"] == "Host is live"
    assert web_push["headers"] == {"TTL": "600", "Urgency": "high", "Topic": tag}
    assert web_push["notification"]["tag"] == tag
    assert web_push["fcm_options"]["link"] == f"{PUBLIC_URL}/s/{SPACE_ID}"


async def test_without_tls_the_link_is_in_the_data_alone(tmp_path: Path) -> None:
    """
    FCM takes no link of http, which is what the embedded stack has.
    """
    device = a_device(platform=Platform.WEB)
    async with phones(tmp_path) as one:
        outcomes = await one.told(
            a_push(device=device, public_url="http://127.0.0.1:8080")
        )

    assert outcomes == [PushOutcome.SENT]
    assert one.messages[0]["data"]["link"].startswith("http://127.0.0.1:8080/s/")


async def test_each_answer_is_its_devices_own(tmp_path: Path) -> None:
    """
    Sent, dead and over quota in one batch; none has the outcome of another.
    """
    tokens = ["fine", "unregistered-1", "quota-1", "fine-2"]
    pushes = [a_push(device=a_device(f"u{n}", token=t)) for n, t in enumerate(tokens)]
    async with phones(tmp_path) as some:
        outcomes = await some.told(*pushes)

    assert outcomes == [
        PushOutcome.SENT,
        PushOutcome.UNREGISTERED,
        PushOutcome.LATER,
        PushOutcome.SENT,
    ]
    assert len(some.messages) == 2


async def test_a_sink_that_is_gone_makes_it_later(tmp_path: Path) -> None:
    """
    Nothing is raised and nobody is given up.
    """
    sender = FcmPushSender(PROJECT, fcm_url="http://127.0.0.1:9/fcm")

    outcomes = await asyncio.to_thread(sender.send, [a_push()])
    await asyncio.to_thread(sender.close)

    assert set(outcomes.values()) == {PushOutcome.LATER}


async def test_hundreds_arrive_once_each(tmp_path: Path) -> None:
    """
    In batches, over one client, from different threads one after the other.
    """
    pushes = [a_push(device=a_device(f"u{n}")) for n in range(350)]
    async with phones(tmp_path) as many:
        for half in (pushes[:150], pushes[150:]):
            assert set(await many.told(*half)) == {PushOutcome.SENT}

    sent = [m["token"] for m in many.messages]
    assert sorted(sent) == sorted(p.device.token for p in pushes)


def test_a_sender_stops_long_before_its_lease_ends() -> None:
    """
    Or another task would send the same page at the same time.
    """
    assert LEASE.total_seconds() > 2 * SEND_FOR_S

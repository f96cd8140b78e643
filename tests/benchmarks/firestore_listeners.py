"""
Many listeners of one collection, over raw gRPC.

The client library starts threads for each listener and would be measured instead.
"""

import asyncio
import contextlib
import time
from dataclasses import dataclass, field
from typing import Any, Final

from google.cloud.firestore_v1.types import firestore as _messages
from grpc import aio

SERVICE: Final = "/google.firestore.v1.Firestore"
DATABASE: Final = "projects/demo-listeners/databases/(default)"
MARK: Final = b"mark:"  # found without parsing: 20,000 deliveries come each second
DIGITS: Final = 7
DOCUMENTS: Final = 50
CHANNELS: Final = 20
CURRENT: Final = 3
SETTLE_S: Final = 10.0
ListenRequest: Final[Any] = _messages.ListenRequest.pb()
ListenResponse: Final[Any] = _messages.ListenResponse.pb()
CommitRequest: Final[Any] = _messages.CommitRequest.pb()


@dataclass(slots=True)
class Heard:
    """What all listeners heard, and what they should have."""

    listeners: int
    expected: int
    latencies_ms: list[float] = field(default_factory=list)
    sent_s: dict[int, float] = field(default_factory=dict)
    listening: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def missing(self) -> int:
        """Return how many deliveries did not come."""
        return self.expected - len(self.latencies_ms)


async def hear(
    address: str, *, listeners: int, writes_per_s: int, seconds: int
) -> Heard:
    """Write to one collection at a steady rate; return what its listeners heard."""
    heard = Heard(listeners, listeners * writes_per_s * seconds)
    own = [("grpc.use_local_subchannel_pool", 1)]
    channels = [aio.insecure_channel(address, options=own) for _ in range(CHANNELS)]
    tasks = [
        asyncio.create_task(_listen(channels[number % CHANNELS], heard))
        for number in range(listeners)
    ]
    await heard.ready.wait()
    await _write(channels[0], heard, writes_per_s, writes_per_s * seconds)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_S):
            await heard.complete.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for channel in channels:
        await channel.close(None)
    return heard


async def _listen(channel: aio.Channel, heard: Heard) -> None:
    request = ListenRequest(database=DATABASE)
    request.add_target.target_id = 1
    request.add_target.query.parent = f"{DATABASE}/documents"
    request.add_target.query.structured_query.from_.add(collection_id="rooms")
    call: Any = channel.stream_stream(
        f"{SERVICE}/Listen",
        request_serializer=ListenRequest.SerializeToString,
        response_deserializer=None,
    )(None)
    await call.write(request)
    current = False
    async for raw in call:
        start = raw.find(MARK) + len(MARK)
        if start >= len(MARK):
            number = int(raw[start : start + DIGITS])
            latency_s = time.perf_counter() - heard.sent_s[number]
            heard.latencies_ms.append(latency_s * 1_000)
            if not heard.missing:
                heard.complete.set()
        elif not current:
            change = ListenResponse.FromString(raw).target_change
            current = change.target_change_type == CURRENT
            heard.listening += current
            if heard.listening == heard.listeners:
                heard.ready.set()


async def _write(channel: aio.Channel, heard: Heard, per_s: int, count: int) -> None:
    commit: Any = channel.unary_unary(
        f"{SERVICE}/Commit",
        request_serializer=CommitRequest.SerializeToString,
        response_deserializer=None,
    )
    started_s = time.perf_counter()
    calls = []
    for number in range(count):
        await asyncio.sleep(max(0.0, started_s + number / per_s - time.perf_counter()))
        request = CommitRequest(database=DATABASE)
        update = request.writes.add().update
        update.name = f"{DATABASE}/documents/rooms/r{number % DOCUMENTS}"
        text = f"{MARK.decode()}{number:0{DIGITS}}"
        update.fields["text"].string_value = text
        heard.sent_s[number] = time.perf_counter()
        calls.append(asyncio.ensure_future(commit(request)))
    await asyncio.gather(*calls)

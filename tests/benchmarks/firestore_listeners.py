"""
Many listeners of one collection, over bare HTTP/2.

The client library, and gRPC's own, cost more than the server and would be measured.
"""

import asyncio
import contextlib
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.cloud.firestore_v1.types import firestore as _messages
from grpc import aio

from tests.benchmarks.light_http2 import ListeningConnection

SERVICE: Final = "/google.firestore.v1.Firestore"
DATABASE: Final = "projects/demo-listeners/databases/(default)"
# Google's emulator answers nothing without it.
METADATA: Final = (("google-cloud-resource-prefix", DATABASE),)
MARK: Final = b"mark:"  # found without parsing: 20,000 deliveries come each second
DIGITS: Final = 7
CONNECTIONS: Final = 20
CURRENT: Final = 3
READY_S: Final = 30.0
SETTLE_S: Final = 10.0
ListenRequest: Final[Any] = _messages.ListenRequest.pb()
ListenResponse: Final[Any] = _messages.ListenResponse.pb()
CommitRequest: Final[Any] = _messages.CommitRequest.pb()


@dataclass(slots=True)
class Heard:
    """
    What all listeners heard, and what they should have.

    Args:
        server_us: Processor time of the server for each delivery.
        bench_us: That of this process, the writes included.
    """

    listeners: int
    expected: int
    latencies_ms: list[float] = field(default_factory=list)
    sent_s: dict[int, float] = field(default_factory=dict)
    listening: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    complete: asyncio.Event = field(default_factory=asyncio.Event)
    server_us: float = 0.0
    bench_us: float = 0.0

    @property
    def missing(self) -> int:
        """Return how many deliveries did not come."""
        return self.expected - len(self.latencies_ms)

    @property
    def p95_ms(self) -> float:
        """Return within which time 95 % of the deliveries came."""
        return statistics.quantiles(self.latencies_ms, n=20)[-1]

    def begin(self) -> None:
        """Take that one more listens."""
        self.listening += 1
        if self.listening == self.listeners:
            self.ready.set()

    def take(self, number: int) -> None:
        """Take a delivery of the write with this number."""
        latency_s = time.perf_counter() - self.sent_s[number]
        self.latencies_ms.append(latency_s * 1_000)
        if not self.missing:
            self.complete.set()


def processor_s(pid: int) -> float:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / os.sysconf("SC_CLK_TCK")


async def hear(
    address: str, pid: int, *, listeners: int, writes_per_s: int, seconds: int
) -> Heard:
    """
    Write to one collection at a steady rate; return what its listeners heard.

    Args:
        pid: The server's process.
    """
    heard = Heard(listeners, listeners * writes_per_s * seconds)
    connections = [await _listen(address, heard) for _ in range(CONNECTIONS)]
    for number in range(listeners):
        connection = connections[number % CONNECTIONS]
        connection.request(f"{SERVICE}/Listen", _request(), METADATA)
    async with asyncio.timeout(READY_S):
        await heard.ready.wait()
    server_s, bench_s = processor_s(pid), time.process_time()
    async with aio.insecure_channel(address) as channel:
        await _write(channel, heard, writes_per_s, writes_per_s * seconds)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_S):
                await heard.complete.wait()
    to_us = 1_000_000 / max(1, len(heard.latencies_ms))
    heard.server_us = (processor_s(pid) - server_s) * to_us
    heard.bench_us = (time.process_time() - bench_s) * to_us
    for connection in connections:
        connection.transport.abort()
    return heard


def _request() -> bytes:
    request = ListenRequest(database=DATABASE)
    request.add_target.target_id = 1
    request.add_target.query.parent = f"{DATABASE}/documents"
    request.add_target.query.structured_query.from_.add(collection_id="rooms")
    encoded: bytes = request.SerializeToString()
    return encoded


async def _listen(address: str, heard: Heard) -> ListeningConnection:
    current: set[int] = set()
    known: set[tuple[int, int]] = set()

    def take(stream: int, message: bytes) -> None:
        start = message.find(MARK) + len(MARK)
        if start >= len(MARK):
            news = stream, int(message[start : start + DIGITS])
            if news not in known:  # Google's emulator tells all again and again
                known.add(news)
                heard.take(news[1])
        elif stream not in current:
            change = ListenResponse.FromString(message).target_change
            if change.target_change_type == CURRENT:
                current.add(stream)
                heard.begin()

    host, port = address.rsplit(":", 1)
    _, made = await asyncio.get_running_loop().create_connection(
        lambda: ListeningConnection(take), host, int(port)
    )
    return made


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
        # Of its own: a listener that is late may skip states of one document.
        update.name = f"{DATABASE}/documents/rooms/r{number}"
        text = f"{MARK.decode()}{number:0{DIGITS}}"
        update.fields["text"].string_value = text
        heard.sent_s[number] = time.perf_counter()
        calls.append(
            asyncio.ensure_future(commit(request, metadata=METADATA, timeout=SETTLE_S))
        )
    # A write that comes to nothing is lost for every listener.
    await asyncio.gather(*calls, return_exceptions=True)

"""What a listener is sent when: gathered changes, slow clients, tokens in order."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

import pytest

from infra.local.firestore.gathering import MAX_GATHER_S, Gathering
from infra.local.firestore.hub import Hub
from infra.local.firestore.listen import ListenContext, ListenStream
from infra.local.firestore.operations import OperationCounter
from infra.local.firestore.paths import document_path
from infra.local.firestore.protocol import ListenRequest, ListenResponse
from infra.local.firestore.watches import Event

DATABASE = "projects/demo/databases/(default)"


class OneClient:
    """The call of a client that takes messages, or does not."""

    def __init__(self) -> None:
        self.ready = True
        self._sent = b""

    def send(self, messages: bytes) -> None:
        """Keep messages."""
        self._sent += messages

    def told(self) -> list[str]:
        """Return what was sent since the last time, in short."""
        found = []
        while self._sent:
            size = int.from_bytes(self._sent[1:5])
            response = ListenResponse.FromString(self._sent[5 : 5 + size])
            self._sent = self._sent[5 + size :]
            kind = response.WhichOneof("response_type")
            if kind == "document_delete":
                gone = response.document_delete
                at_us = gone.read_time.nanos // 1_000
                found.append(f"{gone.document[-1]} at {at_us}")
            else:
                found.append("snapshot")
        return found


@pytest.fixture
async def context() -> ListenContext:
    """What streams share, without any database: only what is delivered is told."""
    counter = OperationCounter()
    hub = Hub(cast(Any, None), counter, version=9)
    return ListenContext(hub, cast(Any, None), counter, 1, lambda: 0)


@pytest.fixture
def client() -> OneClient:
    """The client that listens."""
    return OneClient()


@pytest.fixture
def stream(context: ListenContext, client: OneClient) -> ListenStream:
    """The stream of that client."""
    return ListenStream(context, cast(Any, client))


class Stream:
    """Something that remembers when it was flushed among others."""

    def __init__(self, flushed: "list[Stream]") -> None:
        self._flushed = flushed

    def flush(self) -> None:
        """Remember it."""
        self._flushed.append(self)


@dataclass
class Clock:
    """The event loop's time, which moves only by hand."""

    now_s: float

    def __call__(self) -> float:
        return self.now_s


def gone(id_: str, version: int) -> Event:
    """Return the news that a document was deleted."""
    key = document_path(f"{DATABASE}/documents/rooms/{id_}").key()
    return Event(key, version, None, deleted=True)


async def settle() -> None:
    """Let what is due at once happen."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_changes_of_one_turn_share_a_snapshot(
    stream: ListenStream, client: OneClient
) -> None:
    """
    All documents first, then the token that stands for them.
    """
    stream.deliver(1, gone("a", 1))
    stream.deliver(1, gone("b", 2))
    await settle()

    assert client.told() == ["a at 1", "b at 2", "snapshot"]


async def test_a_slow_client_is_told_the_newest_state(
    stream: ListenStream, client: OneClient
) -> None:
    """
    What was replaced before it could be sent costs no memory and is skipped.
    """
    client.ready = False
    for version in range(1, 100):
        stream.deliver(1, gone("a", version))
    await settle()
    assert client.told() == []

    client.ready = True
    stream.wake()
    async with asyncio.timeout(60):
        while not (told := client.told()):  # noqa: ASYNC110 - the client's timer sets no event
            await asyncio.sleep(0)

    assert told == ["a at 99", "snapshot"]


async def test_a_token_never_runs_ahead(
    stream: ListenStream, client: OneClient
) -> None:
    """
    What is pending is sent before the answer to a request, which tells a new token.
    """
    stream.deliver(1, gone("a", 1))
    stream.request(ListenRequest(database=DATABASE, remove_target=5))

    assert client.told() == ["a at 1", "snapshot"]


async def test_a_closed_stream_is_not_flushed(
    context: ListenContext, stream: ListenStream, client: OneClient
) -> None:
    """
    Its client is gone.
    """
    stream.deliver(1, gone("a", 1))
    stream.close()
    await settle()

    assert client.told() == []
    assert not context.streams


async def test_what_wakes_soon_again_waits_for_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The first change goes out at once, those right behind it together and later.
    """
    clock = Clock(now_s=100.0)
    monkeypatch.setattr(asyncio.get_running_loop(), "time", clock)
    flushed: list[Stream] = []
    gathering = Gathering()
    streams = [Stream(flushed) for _ in range(500)]
    for stream in streams:
        gathering.wake(stream)
    await settle()
    at_once = len(flushed)
    gathering.wake(streams[0])
    gathering.wake(streams[1])
    await settle()
    soon = len(flushed)

    clock.now_s += MAX_GATHER_S
    await settle()

    assert (at_once, soon) == (500, 500)
    assert flushed[500:] == streams[:2]

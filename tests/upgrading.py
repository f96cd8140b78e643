"""People in live Spaces whose worker is replaced under them, and what they miss."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, Self

from spaces.domain.notice import NOTICE_VERSION
from spaces_contract.roles import PeerKind
from tests.api import Api, ApiError
from tests.audio import voice
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.worker_process import until

FRAME_S: Final = 0.020
# As in infra/hosting/public/media/backoff.js, for the first try.
LEAST_DELAY_S: Final = 0.125
MOST_DELAY_S: Final = 0.250
HANDOVER_S: Final = 120.0
RENDERED_S: Final = 180.0
LOOK_S: Final = 0.5  # more often is too often for the API
_CSRC_COUNT: Final = 0x0F  # RFC 3550 5.1


class Worker(Protocol):
    """A process or a container that runs a Space."""

    def terminate(self) -> None:
        """Send SIGTERM."""
        ...

    def wait(self, timeout: float) -> object:
        """Return when it has ended, or raise after `timeout` seconds."""
        ...


class Stack(Protocol):
    """A whole embedded stack that runs."""

    @property
    def url(self) -> str:
        """Where it is served."""
        ...

    def workers(self, space_id: str) -> Sequence[Worker]:
        """Return the media workers that run a Space."""
        ...


class NotedApi(Api):
    """An `Api` that counts how often a media session was refused."""

    refusals: int = 0

    async def post_sdp(self, url: str, grant: str, offer: str) -> tuple[str, str]:
        """Open a session; see `Api`."""
        try:
            return await super().post_sdp(url, grant, offer)
        except ApiError:
            self.refusals += 1
            raise


@dataclass(slots=True)
class Ears:
    """When somebody was heard talking, over all sessions; monotonic seconds."""

    last_s: float = 0.0
    longest_s: float = 0.0

    def begin(self) -> None:
        """Forget what was missing so far."""
        self.longest_s = 0.0

    def note(self, now_s: float) -> None:
        """Take a packet in which somebody talks."""
        if self.last_s:
            self.longest_s = max(self.longest_s, now_s - self.last_s)
        self.last_s = now_s

    @property
    def missing_frames(self) -> int:
        """How many frames of 20 ms the longest silence lacked."""
        return max(0, round(self.longest_s / FRAME_S) - 1)


class _Hearing(LightPeer):
    def __init__(self, api: Api, ears: Ears) -> None:
        super().__init__(api, PeerKind.WHEP)
        self._ears = ears

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Note what has a contributing source: the mixer names who talks."""
        if data[0] & 0xC0 == 0x80 and data[0] & _CSRC_COUNT:
            self._ears.note(time.monotonic())
        super().datagram_received(data, addr)


@dataclass(slots=True)
class Person:
    """
    Hears, perhaps talks, and comes back as soon as it is let go.

    Args:
        frames: What they say, as Opus packets; none: a listener.

    Attributes:
        sessions: How often they were in.
        speakers: By which they talked, one after the other.
        troubles: What kept them from coming in.
    """

    api: NotedApi
    space_id: str
    frames: Sequence[bytes] = ()
    ears: Ears = field(default_factory=Ears)
    sessions: int = 0
    speakers: list[LightSpeaker] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    @property
    def said_s(self) -> float:
        """How much they said to workers so far."""
        return sum(speaker.sent for speaker in self.speakers) * FRAME_S

    async def stay(self) -> None:
        """Join, and again whenever a session ends; ends by cancellation."""
        while True:
            try:
                await self._visit()
            except (ApiError, ConnectionError, TimeoutError) as trouble:
                self.troubles.append(repr(trouble))
            await asyncio.sleep(random.uniform(LEAST_DELAY_S, MOST_DELAY_S))

    async def _visit(self) -> None:
        role = "speaker" if self.frames else "listener"
        body = {"role": role, "recording_notice": NOTICE_VERSION}
        joined = await self.api.call("POST", f"/v1/spaces/{self.space_id}/join", body)
        async with contextlib.AsyncExitStack() as held:
            hearing = _Hearing(self.api, self.ears)
            held.push_async_callback(hearing.aclose)
            entering = [hearing.connect(joined["whep_url"], joined["grant"])]
            peers: list[LightPeer] = [hearing]
            if self.frames:
                speaker = LightSpeaker(self.api, list(self.frames))
                held.push_async_callback(speaker.aclose)
                entering.append(self._talk(speaker, joined))
                peers.append(speaker)
            await asyncio.gather(*entering)
            self.sessions += 1
            ends = [asyncio.ensure_future(peer.wait_closed()) for peer in peers]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for end in ends:
                    end.cancel()

    async def _talk(self, speaker: LightSpeaker, joined: dict[str, Any]) -> None:
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        self.speakers.append(speaker)


@dataclass(slots=True)
class UpgradedSpace:
    """
    A live Space with people in it.

    Args:
        number: Tells its people from those of others.
        guests: Listeners beside the host, who talks all the time.
    """

    stack: Stack
    number: int
    guests: int
    recorded: bool
    id: str = ""
    people: list[Person] = field(default_factory=list)
    unasked_s: float = 0.0  # what the host said before agreeing to be recorded
    _staying: list[asyncio.Task[None]] = field(default_factory=list)
    _opened: contextlib.AsyncExitStack = field(
        default_factory=contextlib.AsyncExitStack
    )

    @property
    def host(self) -> Person:
        """Who talks."""
        return self.people[0]

    @property
    def listeners(self) -> list[Person]:
        """Who hears the host; nobody hears themselves."""
        return self.people[1:]

    async def __aenter__(self) -> Self:
        host = await self._api("host")
        self.id = await host.open_space(f"Upgrade {self.number}", "everyone")
        await self._enter(host, opus_frames(voice(10.0, seed=self.number + 1)))
        await until(lambda: self.host.sessions == 1)
        if self.recorded:
            await self._record()
        for n in range(self.guests):
            await self._enter(await self._api(f"ear{n}"))
        await until(lambda: all(person.ears.last_s for person in self.listeners))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.leave()
        await self._opened.aclose()

    async def leave(self) -> None:
        """Let everybody go."""
        for task in self._staying:
            task.cancel()
        await asyncio.gather(*self._staying, return_exceptions=True)
        self._staying.clear()

    async def epoch(self) -> int:
        """Return the Space's, as everybody sees it."""
        space = await self.host.api.call("GET", f"/v1/spaces/{self.id}")
        return int(space["epoch"])

    async def drain(self) -> None:
        """Tell the worker to leave; return when it is gone and everybody is back."""
        epoch = await self.epoch()
        visits = [person.sessions for person in self.people]
        # It looks at all processes there are: nobody is to wait for that.
        (worker,) = await asyncio.to_thread(self.stack.workers, self.id)
        await asyncio.to_thread(worker.terminate)
        await asyncio.to_thread(worker.wait, HANDOVER_S)
        assert await self.epoch() == epoch + 1
        back_s = time.monotonic()
        try:
            await until(
                lambda: all(
                    person.sessions > before
                    for person, before in zip(self.people, visits, strict=True)
                )
            )
            await until(
                lambda: all(each.ears.last_s > back_s for each in self.listeners)
            )
        except TimeoutError:
            told = {each.api.handle: each.troubles for each in self.people}
            raise AssertionError(f"not everybody is back: {told}") from None

    async def recording(self) -> dict[str, Any]:
        """End the Space; return the recording once it is rendered."""
        await self.leave()
        await self.host.api.call("POST", f"/v1/spaces/{self.id}/end")
        async with asyncio.timeout(RENDERED_S):
            while True:
                found: dict[str, Any] = await self.host.api.call(
                    "GET", f"/v1/recordings/{self.id}"
                )
                if found["state"] == "ready":
                    return found
                await asyncio.sleep(LOOK_S)

    async def manifest(self) -> dict[str, Any]:
        """Return what the rendered recording says of itself."""
        path = f"/v1/recordings/{self.id}/playback"
        urls = await self.host.api.call("GET", path)
        url = str(urls["manifest_url"]).removeprefix(self.stack.url)
        manifest: dict[str, Any] = await self.host.api.call("GET", url)
        return manifest

    async def _api(self, name: str) -> NotedApi:
        api = NotedApi(self.stack.url, f"u{self.number}_{name}")
        return await self._opened.enter_async_context(api)

    async def _enter(self, api: NotedApi, frames: Sequence[bytes] = ()) -> None:
        person = Person(api, self.id, frames)
        self.people.append(person)
        self._staying.append(asyncio.create_task(person.stay(), name=api.handle))

    async def _record(self) -> None:
        call, path = self.host.api.call, f"/v1/spaces/{self.id}/recording"
        await call("PUT", path, {"requested": True})
        yes = {"granted": True, "notice_version": NOTICE_VERSION, "scopes": ["archive"]}
        await call("PUT", f"{path}/consent", yes)
        self.unasked_s = self.host.said_s


def unrecorded_s(space: UpgradedSpace, manifest: dict[str, Any]) -> float:
    """Return how much of what the host said to a worker is not in the recording."""
    heard_ms = sum(
        to_ms - from_ms
        for stem in manifest["stems"]
        for from_ms, to_ms in stem["heard"]
    )
    return space.host.said_s - space.unasked_s - float(heard_ms) / 1000

"""
A swarm of HLS listeners behind nginx as a caching CDN: what reaches the origin.

Playlists, segments and room.json are asked for by 20, 200 and 2,000 players; joins,
tokens, own playlists and keys by `COMERS` people, whom the functions serve one by one.
"""

import asyncio
import contextlib
import re
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import psutil

from tests import speech
from tests.api import Api, ApiError
from tests.benchmarks.bare_send import open_files
from tests.hls_swarm import swarm_of
from tests.light_clients import LightSpeaker, opus_frames
from tests.nginx_cdn import NginxCdn
from tests.running_stack import RunningStack, running_stack

SWARMS: Final = (20, 200, 2_000)
SETTLE_S: Final = 6.0
MEASURE_S: Final = 15.0
COMERS: Final = 60
TOGETHER: Final = 4
START_S: Final = 30.0
EDGE: Final = ("playlist", "segment", "room.json")
KEY: Final = re.compile(r'URI="{\$k}/(\d+/\d+)\?')
CALLS: Final = ("join", "token", "own playlist", "key")


def run() -> list[dict[str, Any]]:
    """Measure and return rows of `bench.json`."""
    with tempfile.TemporaryDirectory() as name, open_files(2 * SWARMS[-1]):
        folder = Path(name)
        (folder / "cdn").mkdir()
        with (
            running_stack(folder / "stack") as stack,
            NginxCdn(folder / "cdn", origin=stack.port) as cdn,
        ):
            return asyncio.run(_measure(stack, cdn))


async def _measure(stack: RunningStack, cdn: NginxCdn) -> list[dict[str, Any]]:
    async with contextlib.AsyncExitStack() as opened:
        host = await opened.enter_async_context(Api(stack.url, "host"))
        space_id = await host.open_space("Swarm")
        joined = await host.join(space_id)
        speaker = LightSpeaker(host, opus_frames(speech.conversation(1)[0]))
        opened.push_async_callback(speaker.aclose)
        room = joined["room_url"].removeprefix(stack.url)
        await _patiently(lambda: host.text(room))  # then there is a worker
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        rows = await _comers(stack, cdn, space_id)
        return [*rows, *await _swarms(cdn, space_id, room)]


async def _comers(
    stack: RunningStack, cdn: NginxCdn, space_id: str
) -> list[dict[str, Any]]:
    """Let people come one by one, each call of theirs in a row of all of them."""
    url = f"http://127.0.0.1:{cdn.port}"
    space = f"/v1/spaces/{space_id}"
    async with contextlib.AsyncExitStack() as opened:
        people = [
            await opened.enter_async_context(Api(url, f"comer_{n}"))
            for n in range(COMERS)
        ]
        began_s, cpu = time.time(), _Cpu(stack)
        await _each(people, lambda api: api.join(space_id))
        spent = {"join": cpu.lap_ms()}
        answers = await _each(
            people, lambda api: api.call("POST", f"{space}/listen-token")
        )
        spent["token"] = cpu.lap_ms()
        tokens = dict(zip(people, (each["token"] for each in answers), strict=True))
        own = f"{space}/listen.m3u8?t="
        await _patiently(lambda: people[0].text(own + tokens[people[0]]))
        cpu.lap_ms()
        await _each(people[1:], lambda api: api.text(own + tokens[api]))
        spent["own playlist"] = cpu.lap_ms()
        playlist = await people[0].text(f"/live/{space_id}/audio.m3u8")
        key = f"{space}/keys/{KEY.findall(playlist)[-1]}"
        cpu.lap_ms()
        await _each(people, lambda api: api.text(f"{key}?t={tokens[api]}"))
        spent["key"] = cpu.lap_ms()
    asked, _ = cdn.seen(began_s, time.time())
    return [row for call in CALLS for row in _call_rows(call, asked, spent)]


def _call_rows(
    call: str, asked: Counter[str], spent: dict[str, float]
) -> list[dict[str, Any]]:
    done = COMERS - (call == "own playlist")
    return [
        {
            "name": f"HLS listener: {call} requests of {COMERS} who come",
            "value": asked[call],
            "unit": "requests",
            "baseline": "one each",
            "baseline_value": COMERS,
            "ratio": asked[call] / COMERS,
        },
        {
            "name": f"HLS listener: CPU of a {call}",
            "value": spent[call] / done,
            "unit": "ms",
        },
    ]


async def _swarms(cdn: NginxCdn, space_id: str, room: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    first: float | None = None
    for count in SWARMS:
        async with swarm_of(
            count, port=cdn.port, space_id=space_id, room_path=room
        ) as counts:
            await asyncio.sleep(SETTLE_S)
            began_s, gaps, refused = time.time(), counts.gaps, counts.refused
            await asyncio.sleep(MEASURE_S)
            ended_s = time.time()
        asked, passed_on = cdn.seen(began_s, ended_s)
        name = f"HLS swarm of {count:,}"
        at_origin = sum(passed_on[kind] for kind in EDGE) / MEASURE_S
        first = first or at_origin
        rows.append(
            {
                "name": f"{name}: requests that reach the origin",
                "value": at_origin,
                "unit": "1/s",
                "baseline": f"swarm of {SWARMS[0]}",
                "baseline_value": first,
                "ratio": at_origin / first,
                "spread": ", ".join(
                    f"{kind} {passed_on[kind] / MEASURE_S:.2f}" for kind in EDGE
                ),
            }
        )
        rows.append(
            {
                "name": f"{name}: requests at the CDN",
                "value": sum(asked[kind] for kind in EDGE) / MEASURE_S,
                "unit": "1/s",
                "spread": f"{counts.gaps - gaps} segments missed, "
                f"{counts.refused - refused} refused",
            }
        )
    return rows


class _Cpu:
    """CPU of a stack's servers, not of its media workers."""

    def __init__(self, stack: RunningStack) -> None:
        self._processes = [
            each
            for each in stack.children()
            if not any("media_worker" in word for word in each.cmdline())
        ]
        self._before_s = self._total_s()

    def lap_ms(self) -> float:
        """Return what was spent since the last lap."""
        before_s, self._before_s = self._before_s, self._total_s()
        return 1000 * (self._before_s - before_s)

    def _total_s(self) -> float:
        times = [each.cpu_times() for each in self._processes if _runs(each)]
        return sum(each.user + each.system for each in times)


def _runs(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


async def _each(people: list[Api], do: Callable[[Api], Awaitable[Any]]) -> list[Any]:
    """Let all of them do it, a few at once."""
    turns = asyncio.Semaphore(TOGETHER)

    async def one(api: Api) -> Any:
        async with turns:
            return await do(api)

    return list(await asyncio.gather(*(one(api) for api in people)))


async def _patiently(do: Callable[[], Awaitable[object]]) -> None:
    """Repeat what is not there yet, while the worker starts."""
    deadline_s = time.monotonic() + START_S
    while True:
        try:
            await do()
        except ApiError as error:
            if error.status not in (404, 503) or time.monotonic() > deadline_s:
                raise
            await asyncio.sleep(0.2)
        else:
            return

"""`make demo`: a live Space with two speakers and 50 listeners to join."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from spaces_contract.roles import PeerKind
from tests import speech
from tests.api import Api
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.running_stack import running_stack

LISTENERS = 50
TITLE = "Parley demo: two readers, fifty listeners"


async def hold_space(url: str, stop: asyncio.Event) -> None:
    """Open the Space, fill it, and hold it until `stop` is set."""
    async with contextlib.AsyncExitStack() as stack:
        ana = await stack.enter_async_context(Api(url, "demo_ana"))
        bo = await stack.enter_async_context(Api(url, "demo_bo"))
        space_id = await ana.open_space(TITLE, speaker_policy="everyone")
        stack.push_async_callback(ana.call, "POST", f"/v1/spaces/{space_id}/end")
        for api, said in zip((ana, bo), speech.conversation(2), strict=True):
            joined = await api.join(space_id, "speaker")
            speaker = LightSpeaker(api, opus_frames(said))
            stack.push_async_callback(speaker.aclose)
            await speaker.connect(joined["whip_url"], joined["grant"])
            speaker.start_talking()
        listeners = [
            await stack.enter_async_context(Api(url, f"demo_{number:02}"))
            for number in range(LISTENERS)
        ]
        await asyncio.gather(
            *(listen(api, space_id, stack) for api in listeners),
        )
        sys.stdout.write(f"open  {url}/s/{space_id}\n")
        sys.stdout.flush()
        await stop.wait()


async def listen(api: Api, space_id: str, stack: contextlib.AsyncExitStack) -> None:
    """Join as a listener, and stay until the stack closes."""
    joined = await api.join(space_id)
    peer = LightPeer(api, PeerKind.WHEP)
    stack.push_async_callback(peer.aclose)
    await peer.connect(joined["whep_url"], joined["grant"])


async def run(url: str) -> None:
    """Hold the Space until Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await hold_space(url, stop)


def main() -> None:
    """Start the stack and the demo on top of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--data", type=Path, default=Path(".local"))
    arguments = parser.parse_args()
    with running_stack(arguments.data, arguments.port) as stack:
        sys.stdout.write(f"ready {stack.url}\n")
        sys.stdout.flush()
        asyncio.run(run(stack.url))


if __name__ == "__main__":
    main()

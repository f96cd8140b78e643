"""
The floor of a small room: a bare event loop that sends a datagram to each hearer.

`python -m tests.benchmarks.bare_loop PORT…` wakes up fifty times a second, sends one
ready-made datagram to each port of this machine, and does no more, until it is ended.
"""

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator
from typing import Final

import psutil

from tests.benchmarks.bare_send import PACKET_BYTES, TICK_S
from tests.bound_process import bound

HOST: Final = "127.0.0.1"


async def run(ports: list[int]) -> None:
    """Send for ever."""
    loop = asyncio.get_running_loop()
    packet, addresses = bytes(PACKET_BYTES), [(HOST, port) for port in ports]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source:
        due_s = loop.time()
        while True:
            for address in addresses:
                source.sendto(packet, address)
            due_s += TICK_S
            await asyncio.sleep(max(0.0, due_s - loop.time()))


@contextlib.asynccontextmanager
async def bare_loop(hearers: int) -> AsyncIterator[psutil.Process]:
    """Run it as a process of its own, with hearers who read what they get."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as stack:
        ports = []
        for _ in range(hearers):
            sink = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sink.setblocking(False)
            sink.bind((HOST, 0))
            loop.add_reader(sink, sink.recv, PACKET_BYTES)
            stack.callback(loop.remove_reader, sink)
            ports.append(sink.getsockname()[1])
        command = (sys.executable, "-m", "tests.benchmarks.bare_loop")
        process = await asyncio.create_subprocess_exec(
            *bound(*command, *map(str, ports))
        )
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            await process.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run([int(port) for port in sys.argv[1:]]))

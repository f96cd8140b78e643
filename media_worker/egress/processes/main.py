"""Starts an egress process, and sees to it that it never outlives its room."""

import argparse
import asyncio
import ctypes
import json
import logging
import signal
import socket
import sys
from typing import Final

from ...json_logs import configure
from ...process_memory import limit_libraries, settle

CANNOT_START: Final = 1
PR_SET_PDEATHSIG: Final = 1  # prctl(2)
LAST_RESORT_S: Final = 8  # for an end that hangs

logger = logging.getLogger(__name__)


def main() -> int:
    """Run the process that a room has started; return its exit code."""
    arguments = _parser().parse_args()
    _follow_parent()
    configure(**json.loads(arguments.labels))
    limit_libraries()
    try:
        asyncio.run(_serve(arguments))
    except OSError as error:
        logger.error("cannot serve listeners: %s", error)
        return CANNOT_START
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="media_worker.egress", description=__doc__)
    parser.add_argument("--channel", type=int, required=True, help="descriptor")
    parser.add_argument("--feed", type=int, required=True, help="descriptor")
    parser.add_argument("--bind", type=json.loads, required=True, help="[host, port]")
    parser.add_argument("--announced", type=json.loads, required=True)
    parser.add_argument("--labels", required=True, help="of log lines, JSON")
    return parser


def _follow_parent() -> None:
    """Get SIGTERM when the room dies; its closed socket tells it everywhere else."""
    # A terminal's Ctrl-C is for the room, which then stops us in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        prctl = getattr(ctypes.CDLL(None), "prctl", None)
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


async def _serve(arguments: argparse.Namespace) -> None:
    # Imported late: half a second, in which a signal must end us already.
    from ...transport.endpoint import UdpMediaEndpoint
    from ...transport.session_trace import SessionTraces
    from .channel import Channel
    from .serving import EgressServer
    from .told_steps import told

    settle()
    channel = await Channel.over(socket.socket(fileno=arguments.channel))
    server = EgressServer(
        channel,
        socket.socket(fileno=arguments.feed),
        UdpMediaEndpoint(
            bind=tuple(arguments.bind),
            announced=tuple(arguments.announced),
            traces=SessionTraces(told(channel.send)),
        ),
    )

    def asked_to_end() -> None:
        signal.alarm(LAST_RESORT_S)
        server.drain()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, asked_to_end)
    await server.run()

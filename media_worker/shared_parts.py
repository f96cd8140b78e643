"""Parts of every worker, room or relay, as configured."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, Final, TypeVar

from spaces_contract.roles import PeerCloseReason
from spaces_contract.trace_context import log_facts

from .config import Address, Config
from .control.forward_check import ForwardCheck
from .control.server import ControlServer
from .egress.processes.child import Spawn
from .egress.processes.spread import SpreadEndpoint
from .epoch_life import cancelled
from .firestore_link.claim import Claim
from .firestore_link.connection import Firestore
from .room.ports import MediaEvents
from .start_trace import StartTrace
from .transport.endpoint import UdpMediaEndpoint
from .transport.session_trace import SessionTraces, recorded

CLOSE_PATIENCE_S: Final = 1.0

T = TypeVar("T")


class CannotStart(Exception):
    """An address, or the folder of the live edge, is not to be had."""


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Take the operating system's refusals for what whoever configured us can mend."""
    try:
        yield
    except OSError as error:
        raise CannotStart(str(error)) from error


def spread_endpoint(config: Config, start: StartTrace) -> SpreadEndpoint:
    """
    Return the endpoint of all processes; it is not started yet.

    Args:
        start: Told of the first sessions.
    """
    own, *others = config.udp_endpoints
    labels: dict[str, str | int] = {
        "space_id": config.space_id,
        "epoch": config.epoch,
        **log_facts(config.project_id),
    }
    return SpreadEndpoint(
        UdpMediaEndpoint(
            bind=own.bind,
            announced=own.announced,
            traces=SessionTraces(recorded(start.reached)),
        ),
        [
            Spawn(bind=udp.bind, announced=udp.announced, labels=labels)
            for udp in others
        ],
        egress_from=config.egress_from,
        traces=SessionTraces(recorded(start.reached)),
    )


@contextlib.asynccontextmanager
async def reachable(
    config: Config, endpoint: SpreadEndpoint, events: MediaEvents, firestore: Firestore
) -> AsyncIterator[ControlServer]:
    """
    Have the addresses of control and media; leave the network altogether at the end.

    Yields:
        What does not serve yet.

    Raises:
        CannotStart: an address is taken.
    """
    async with contextlib.AsyncExitStack() as stack:
        with starting():
            control = ControlServer(*config.control_bind)
        stack.push_async_callback(control.aclose)
        stack.push_async_callback(firestore.aclose)
        with starting():
            endpoint.start(events)
        stack.push_async_callback(_close, endpoint)
        yield control


@contextlib.asynccontextmanager
async def running(
    work: Coroutine[Any, Any, T], name: str
) -> AsyncIterator["asyncio.Task[T]"]:
    """Do `work` meanwhile, and cancel it; how it ended is its owner's to ask."""
    task = asyncio.create_task(work, name=name)
    try:
        yield task
    finally:
        await cancelled(task)


async def _close(endpoint: SpreadEndpoint) -> None:
    """Close what is left of it, but wait for nobody longer than `CLOSE_PATIENCE_S`."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_PATIENCE_S):
            await endpoint.aclose(PeerCloseReason.WORKER_STOPPING)


def new_claim(config: Config, endpoint: SpreadEndpoint, control_url: str) -> Claim:
    """
    Return what this process writes to make its epoch its own.

    Args:
        endpoint: Started: its port is known.
        control_url: Where we listen; the configuration may say otherwise.
    """
    egresses = [udp.announced for udp in config.udp_endpoints[1:]]
    return Claim(
        space_id=config.space_id,
        epoch=config.epoch,
        worker_id=secrets.token_hex(8),
        control_url=config.control_url or control_url,
        udp_endpoints=tuple(map(_told, [endpoint.announced, *egresses])),
    )


def forward_check(config: Config) -> ForwardCheck:
    """Return what checks the functions' forwards to this worker."""
    return ForwardCheck(
        config.grant_public_key, space_id=config.space_id, epoch=config.epoch
    )


def _told(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

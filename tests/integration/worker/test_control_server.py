"""A control server that stops answering is noticed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.applications import Starlette

from media_worker.control.server import ControlServer


@pytest.fixture
async def server() -> AsyncIterator[ControlServer]:
    """Return a bound server, which is closed afterwards."""
    server = ControlServer("127.0.0.1", 0)
    yield server
    await server.aclose()


async def test_a_death_is_told(
    server: ControlServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where the server's loop crashes, its owner is told at once.
    """

    async def crash(_: uvicorn.Server, __: int) -> bool:
        raise RuntimeError("crashed")

    monkeypatch.setattr(uvicorn.Server, "on_tick", crash)
    died = asyncio.Event()

    server.serve(Starlette(), on_death=died.set)
    await asyncio.wait_for(died.wait(), 60)

    assert server.died


async def test_a_close_is_no_death(server: ControlServer) -> None:
    """
    A server that its owner closes tells nothing.
    """
    died = asyncio.Event()
    server.serve(Starlette(), on_death=died.set)

    await server.aclose()

    assert not died.is_set()
    assert not server.died

"""Every call to the live edge's store ends in time, and none raises."""

import asyncio
from pathlib import Path
from typing import Any

import obstore
import pytest

from media_worker.live_edge import edge_store
from media_worker.live_edge.edge_store import EdgeStore

KIND = {"Content-Type": "video/mp2t", "Cache-Control": "public, max-age=20"}


async def test_what_is_put_is_there(tmp_path: Path) -> None:
    """
    Folders are made; an object is there whole, until it is deleted.
    """
    store = EdgeStore(f"file://{tmp_path}/new")

    assert await store.put("live/a/1.ts", b"sound", kind=KIND, within_s=5)
    assert await store.exists("live/a/1.ts")
    assert (tmp_path / "new/live/a/1.ts").read_bytes() == b"sound"
    assert await store.names("live/a/") == ["live/a/1.ts"]
    assert await store.names("live/b/") == []
    assert await store.delete(["live/a/1.ts", "live/a/2.ts"])
    assert not await store.exists("live/a/1.ts")
    assert store.failures == 0


async def test_a_store_that_hangs_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Whatever it is asked, it has so much time and no more.
    """

    async def hang(*_: Any, **__: Any) -> None:
        await asyncio.sleep(3_600)

    for name in ("put_async", "delete_async", "head_async"):
        monkeypatch.setattr(obstore, name, hang)
    monkeypatch.setattr(edge_store, "ATTEMPT_TIMEOUT_S", 0.001)
    store = EdgeStore(f"file://{tmp_path}")

    assert not await store.put("1.ts", b"", kind=KIND, within_s=0.1)
    assert not await store.delete(["1.ts"])
    assert not await store.exists("1.ts")
    assert store.failures >= 2


async def test_a_store_that_refuses_once_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    There is another attempt as long as there is time.
    """
    put, answers = obstore.put_async, iter([OSError("disk full")])

    async def refuse_once(*arguments: Any, **named: Any) -> Any:
        for error in answers:
            raise error
        return await put(*arguments, **named)

    monkeypatch.setattr(obstore, "put_async", refuse_once)
    monkeypatch.setattr(edge_store, "RETRY_S", 0.001)
    store = EdgeStore(f"file://{tmp_path}")

    assert await store.put("1.ts", b"sound", kind=KIND, within_s=5)
    assert store.failures == 1

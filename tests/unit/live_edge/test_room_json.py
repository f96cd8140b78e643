"""`room.json` reaches a folder whole, or not at all."""

import asyncio
import json
from pathlib import Path

import jsonschema

from media_worker.live_edge.edge_store import EdgeStore
from media_worker.live_edge.room_json import StoredRoomJson
from spaces_contract.room_state import ROOM_JSON_SCHEMA, RoomState, StageMember


def a_room(version: int, *, title: str = "Talk") -> RoomState:
    """Return a state with one person on stage."""
    ana = StageMember(
        uid="ana",
        handle="ana",
        display_name="Ana Ünal",
        role="host",
        muted=False,
        connected=True,
        csrc=7,
    )
    return RoomState(
        space_id="1nKxoPQrsTUvw",
        epoch=2,
        version=version,
        state="live",
        title=title,
        stage=(ana,),
        talking=("ana",),
        listener_count=3,
        participant_count=4,
        recording_state="off",
        updated_at="2026-01-01T00:00:00.000Z",
    )


def the_only_file(folder: Path) -> Path:
    """Return the one file below `folder`."""
    (path,) = [path for path in folder.rglob("*") if path.is_file()]
    return path


async def test_versions_replace_each_other(tmp_path: Path) -> None:
    """
    Missing folders are made; the object is the newest version and nothing else.
    """
    store = StoredRoomJson(EdgeStore(f"file://{tmp_path}/new/objects"))

    await store.publish(a_room(1))
    await store.publish(a_room(2))

    path = the_only_file(tmp_path)
    room = json.loads(path.read_text())
    jsonschema.validate(room, ROOM_JSON_SCHEMA)
    assert path.relative_to(tmp_path / "new/objects").as_posix() == (
        "live/1nKxoPQrsTUvw/2/room.json"
    )
    assert (room["version"], room["stage"][0]["display_name"]) == (2, "Ana Ünal")
    assert store.failures == 0


async def test_a_state_that_is_too_large_is_not_written(tmp_path: Path) -> None:
    """
    It is counted as failed; the last good version stays.
    """
    store = StoredRoomJson(EdgeStore(f"file://{tmp_path}"))
    await store.publish(a_room(1))

    await store.publish(a_room(2, title="x" * 9_000))

    assert json.loads(the_only_file(tmp_path).read_text())["version"] == 1
    assert store.failures == 1


async def test_a_store_that_fails_is_survived(tmp_path: Path) -> None:
    """
    A folder that cannot be written counts a failure and raises nothing.
    """
    store = StoredRoomJson(EdgeStore(f"file://{tmp_path}/objects"), retry_s=0)
    (tmp_path / "objects" / "live").write_text("in the way")

    await store.publish(a_room(1))

    assert store.failures == 1


async def test_a_last_version_is_tried_once(tmp_path: Path) -> None:
    """
    `finish` cuts the pause before another attempt short, and later versions have one.
    """
    store = StoredRoomJson(EdgeStore(f"file://{tmp_path}/objects"), retry_s=3_600)
    (tmp_path / "objects" / "live").write_text("in the way")
    writing = asyncio.create_task(store.publish(a_room(1)))
    await asyncio.sleep(0)

    store.finish()
    await writing
    await store.publish(a_room(2))

    assert store.failures == 2

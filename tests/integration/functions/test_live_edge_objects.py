"""The live edge in real stores: found, and deleted to the last object."""

from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
import requests
from moto.server import ThreadedMotoServer
from obstore.store import ObjectStore, S3Store

from spaces.adapters.live_edge_objects import StoredLiveEdge
from spaces.adapters.object_stores import open_store
from spaces.domain.errors import DependencyUnavailable
from spaces_contract import paths
from spaces_contract.ids import SpaceId

ENDED, LIVE = SpaceId("1Space1Space1"), SpaceId("2Space2Space2")
SEGMENTS = 40


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Store]:
    """Yield a bucket of an S3 of the tests' own."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    requests.put(f"{address}/live", timeout=60).raise_for_status()
    yield S3Store(
        "live",
        endpoint=address,
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
        client_options={"allow_http": True},
    )
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Return a store of each kind, in which two Spaces have been."""
    found: ObjectStore
    if request.param == "folder":
        found = open_store(tmp_path.as_uri())
    else:
        found = request.getfixturevalue("bucket")
    for space_id in (ENDED, LIVE):
        obstore.put(found, paths.playlist_object(space_id), b"#EXTM3U")
        for epoch in (1, 2):
            obstore.put(found, paths.room_object(space_id, epoch), b"{}")
        for number in range(SEGMENTS):
            obstore.put(found, paths.segment_object(space_id, 2, number), b"sealed")
    return found


def test_one_space_is_erased_to_the_last_object(store: ObjectStore) -> None:
    """
    All epochs of it, and nothing of another; a second time there is nothing.
    """
    edge = StoredLiveEdge(store)
    seen = set(edge.space_ids())

    erased = edge.erase(ENDED)

    left = {entry["path"] for page in obstore.list(store) for entry in page}
    assert seen == {ENDED, LIVE}
    assert erased == SEGMENTS + 3
    assert len(left) == SEGMENTS + 3
    assert all(name.startswith(paths.live_edge(LIVE)) for name in left)
    assert edge.space_ids() == [LIVE]
    assert edge.erase(ENDED) == 0


def test_keys_behind_a_cdn_are_erased_too(tmp_path: Path) -> None:
    """
    They are in a store of their own.
    """
    edge, keys = (open_store((tmp_path / name).as_uri()) for name in ("edge", "keys"))
    for space_id in (ENDED, LIVE):
        obstore.put(keys, paths.live_key_object(space_id, 1, 7), bytes(16))

    assert StoredLiveEdge(edge, keys).erase(ENDED) == 1

    left = [entry["path"] for page in obstore.list(keys) for entry in page]
    assert left == [paths.live_key_object(LIVE, 1, 7)]


def test_an_s3_without_tls_is_reached_where_that_is_allowed(
    bucket: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    As a store in one's own network may be: `AWS_ALLOW_HTTP` counts.
    """
    settings = {
        "AWS_ENDPOINT_URL": str(bucket.config["endpoint"]),
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    obstore.put(bucket, "own/network", b"here")

    obstore.delete(open_store("s3://live"), "own/network")

    with pytest.raises(FileNotFoundError):
        obstore.head(bucket, "own/network")


def test_a_store_that_does_not_answer_is_told_as_such() -> None:
    """
    The task fails and is tried again, rather than taking all for swept.
    """
    store = S3Store(
        "live",
        endpoint="http://127.0.0.1:9",
        region="us-east-1",
        access_key_id="test",
        secret_access_key="test",
        client_options={"allow_http": True, "connect_timeout": "1s"},
        retry_config={"max_retries": 0},
    )

    with pytest.raises(DependencyUnavailable):
        StoredLiveEdge(store).erase(ENDED)
    with pytest.raises(DependencyUnavailable):
        StoredLiveEdge(store).space_ids()

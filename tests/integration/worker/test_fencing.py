"""A worker whose epoch is over harms nobody: what it still writes is refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from media_worker.firestore_link.claim import Claim, ClaimRefused, claim_epoch
from media_worker.firestore_link.connection import Firestore, connect
from media_worker.firestore_link.reporter import EpochLost, Reporter
from media_worker.room.ports import Presence
from spaces_contract.ids import UserId
from spaces_contract.runtime import WorkerState
from tests.worker_process import PROJECT, SPACE, EmbeddedFirestore, SpaceDocuments

CLAIM = Claim(
    space_id=SPACE,
    epoch=1,
    worker_id="me",
    control_url="http://127.0.0.1:1",
    udp_endpoints=("127.0.0.1:1",),
)
CROWDED = Presence(
    state=WorkerState.READY,
    listener_count=7,
    hls_listener_count=0,
    capacity=10,
    participant_count=8,
    connected_ids=(UserId("ana"),),
)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[EmbeddedFirestore]:
    """Run the embedded server."""
    async with EmbeddedFirestore(tmp_path) as server:
        yield server


@pytest.fixture
async def documents(server: EmbeddedFirestore) -> AsyncIterator[SpaceDocuments]:
    """Write as functions do: the Space is live in epoch 1, and waits for a worker."""
    async with SpaceDocuments.live(server.host) as documents:
        yield documents


@pytest.fixture
async def firestore(server: EmbeddedFirestore) -> AsyncIterator[Firestore]:
    """Connect as a worker does."""
    firestore = connect(PROJECT, emulator_host=server.host)
    yield firestore
    await firestore.aclose()


async def test_whoever_was_replaced_writes_nothing(
    documents: SpaceDocuments, firestore: Firestore
) -> None:
    """
    A heartbeat in an epoch that is over is refused whole, the Space's count as well.
    """
    fence = await claim_epoch(firestore, CLAIM)
    reporter = Reporter(firestore, CLAIM, fence=fence)
    await reporter.report(CROWDED)
    reported = (await documents.space.get()).to_dict()
    await documents.start(epoch=2)

    with pytest.raises(EpochLost):
        await reporter.report(CROWDED)

    assert reported["participant_count"] == 8
    assert (await documents.space.get()).to_dict()["participant_count"] == 0
    assert await documents.runtime_fields() == {"epoch": 2, "state": "launching"}


async def test_a_space_that_is_over_is_not_claimed(
    documents: SpaceDocuments, firestore: Firestore
) -> None:
    """
    A worker that comes after the end leaves the documents as they are.
    """
    await documents.space.update({"state": "ended"})

    with pytest.raises(ClaimRefused):
        await claim_epoch(firestore, CLAIM)

    assert await documents.runtime_fields() == {"epoch": 1, "state": "launching"}

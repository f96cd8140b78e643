"""Where relays are written down: in memory and in Firestore alike."""

from collections.abc import Callable
from typing import Any

import pytest

from spaces.adapters.clock import random_space_id
from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.relays import FirestoreRelayStore
from spaces.domain.relays import PlacedRelay, RelayBook, RelayPlan
from spaces.service.relay_ports import RelayStore
from spaces_contract import paths
from spaces_contract.ids import SpaceId
from tests.builders import NOW
from tests.relay_fakes import MemoryRelayStore

MEMORY = "memory"
FIRESTORE = "firestore"


@pytest.fixture(params=[MEMORY, FIRESTORE])
def store(request: pytest.FixtureRequest) -> RelayStore:
    """Return a store on each technology."""
    if request.param == MEMORY:
        return MemoryRelayStore()
    return FirestoreRelayStore(request.getfixturevalue("client"))


@pytest.fixture
def space_id() -> SpaceId:
    """Return a Space that no other test knows."""
    return random_space_id()


def placing(index: int) -> Callable[[RelayBook | None], RelayPlan]:
    """Return a decision that adds the relay `index`."""

    def decide(book: RelayBook | None) -> RelayPlan:
        placed = dict(book.placed) if book is not None else {}
        placed[index] = PlacedRelay(placed_at=NOW)
        book = RelayBook(epoch=1, next_index=index + 1, placed=placed)
        return RelayPlan(book=book, place=index)

    return decide


def kept(store: RelayStore, space_id: SpaceId) -> RelayBook | None:
    """Return the book as the next decision will see it."""
    seen: list[RelayBook | None] = []

    def look(book: RelayBook | None) -> RelayPlan:
        seen.append(book)
        return RelayPlan(book=book or RelayBook(epoch=0))

    store.plan(space_id, look, lambda _: "")
    return seen[0]


def test_what_was_decided_is_kept(store: RelayStore, space_id: SpaceId) -> None:
    """
    Each relay, when it was asked for, and what the launcher calls it.
    """
    store.plan(space_id, placing(0), lambda index: f"token-{index}")
    store.launched(space_id, 1, 0, "ref-0")
    store.plan(space_id, placing(1), lambda index: f"token-{index}")

    assert kept(store, space_id) == RelayBook(
        epoch=1,
        next_index=2,
        placed={
            0: PlacedRelay(placed_at=NOW, ref="ref-0"),
            1: PlacedRelay(placed_at=NOW),
        },
    )


@pytest.mark.parametrize(("epoch", "index"), [(2, 0), (1, 5)])
def test_a_relay_that_was_dropped_is_not_noted(
    store: RelayStore, space_id: SpaceId, epoch: int, index: int
) -> None:
    """
    The launcher may answer after the next epoch has begun.
    """
    store.plan(space_id, placing(0), lambda _: "token")
    before = kept(store, space_id)

    store.launched(space_id, epoch, index, "late")

    assert kept(store, space_id) == before


def test_a_relay_finds_what_it_needs(client: BoundedClient, space_id: SpaceId) -> None:
    """
    Its own document waits for its claim, with the token for its origin.
    """
    FirestoreRelayStore(client).plan(space_id, placing(4), lambda i: f"token-{i}")

    found: Any = client.document(paths.runtime_relay(space_id, 4)).get().to_dict()

    assert found["feed_forward"] == "token-4"
    assert (found["epoch"], found["state"]) == (1, "launching")

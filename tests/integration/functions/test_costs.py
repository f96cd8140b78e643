"""Each call costs what the table says, counted as Google bills it."""

import grpc
import pytest

from spaces.adapters.firestore.client import BoundedClient
from spaces.adapters.firestore.costs import COSTS
from spaces.adapters.firestore.recording_costs import RECORDING_COSTS
from tests.billed_calls import Bill, every_call
from tests.world import World


@pytest.fixture
def optimistic(untouched: str) -> str:
    """Stand in for the server that tests share: `host` is live elsewhere there."""
    return untouched


@pytest.fixture
def bill(world: World, operations: grpc.Channel) -> Bill:
    """Return a bill of a deployment in which nothing was done yet."""
    return Bill(world, operations)


def test_every_call_costs_what_the_table_says(
    bill: Bill, world: World, client: BoundedClient
) -> None:
    """
    Reads, writes and deletes of every row of the table, and no row is left out.
    """
    every_call(bill, world, client)

    table = {
        name: (len(cost.reads), len(cost.writes), len(cost.deletes))
        for name, cost in {**COSTS, **RECORDING_COSTS}.items()
    }
    assert bill.counted == table


@pytest.mark.parametrize(
    ("name", "reads", "writes"),
    [
        ("create_space, with a key", 3, 4),
        ("create_space, scheduled", 3, 4),
        ("get_space", 1, 0),
        ("join_space, to listen", 5, 1),
        ("start_space", 2, 3),
    ],
)
def test_the_published_bounds(name: str, reads: int, writes: int) -> None:
    """
    What the API promises of its cost is in the table.
    """
    assert len(COSTS[name].reads) <= reads
    assert len(COSTS[name].writes) <= writes

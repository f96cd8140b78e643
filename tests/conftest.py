"""Markers by folder: the folder of a test is its tier."""

import asyncio.constants
import gc
import os
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
# Of each callback, debug mode notes where it was made.  Ten frames of that are half of
# what a room's test costs, and a failing test shows its own.
asyncio.constants.DEBUG_STACK_DEPTH = 0  # type: ignore[misc]  # ours alone to change

TIERS = ("unit", "integration", "conformance", "e2e", "containers")


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """
    Mark each test with its tier, and run the tiers from fast to slow.

    Several processes run them the other way, so that none is left with a long file when
    the others have ended.
    """
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0]
        if tier in TIERS:
            item.add_marker(tier)
    items.sort(key=_tier_index, reverse=hasattr(config, "workerinput"))


def pytest_collection_finish() -> None:
    """Keep modules and tests, which stay, out of every collection of garbage."""
    gc.collect()
    gc.freeze()


def _tier_index(item: pytest.Item) -> int:
    tier = item.path.relative_to(TESTS).parts[0]
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of Chromium; without it the test is skipped, in CI it fails."""
    from tests import browser  # a fifth of a second that unit tests need not pay

    found = browser.find_chromium()
    if found is None:
        reason = "needs Chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found

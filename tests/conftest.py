"""Markers by folder: the folder of a test is its tier."""

import asyncio.constants
import gc
import linecache
import os
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from spaces_contract.trace_context import current

TESTS = Path(__file__).parent
# Debug mode notes of each callback, task and future where it was made.  The whole stack
# is a third of what a room's test costs; the innermost frame says as much.
asyncio.constants.DEBUG_STACK_DEPTH = 1  # type: ignore[misc]  # Final to others; of this process alone
traceback.extract_stack.__defaults__ = (None, 1)  # what asyncio's C code calls
# Before each note the disk is asked whether the source has changed: it does not.
linecache.checkcache = lambda filename=None: None

TIERS = ("unit", "integration", "conformance", "e2e", "containers")
# A process has a file to itself: one of a minute that begins last is waited for alone.
LONGEST = (
    "e2e/test_recording.py",
    "e2e/test_transports.py",
    "e2e/test_talk.py",
    "integration/worker/test_hls.py",
    "integration/worker/test_worker.py",
    "e2e/test_crashes.py",
    "e2e/test_bad_network.py",
    "e2e/test_web_client.py",
    "e2e/test_own_pages.py",
    "e2e/test_firebase.py",
    "e2e/test_relays.py",
)
assert all((TESTS / name).is_file() for name in LONGEST)


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """
    Mark each test with its tier, and run the tiers from fast to slow.

    Several processes begin with the longest files and run the tiers the other way, so
    that none is left with a long file when the others have ended.
    """
    for item in items:
        tier = item.path.relative_to(TESTS).parts[0]
        if tier in TIERS:
            item.add_marker(tier)
    one_of_several = hasattr(config, "workerinput")
    items.sort(key=_tier_index, reverse=one_of_several)
    if one_of_several:
        items.sort(key=_length_index)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage neither in modules and tests, which stay, nor all the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(5_000)  # new objects; after 700 it was a tenth of all time
        gc.enable()


def _tier_index(item: pytest.Item) -> int:
    tier = item.path.relative_to(TESTS).parts[0]
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


def _length_index(item: pytest.Item) -> int:
    name = item.path.relative_to(TESTS).as_posix()
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)


@pytest.fixture(autouse=True)
def no_trace_is_left() -> Iterator[None]:
    """Each test begins in no trace: in one that is not sampled, spans are not kept."""
    yield
    left = current.get()
    current.set(None)
    assert left is None


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

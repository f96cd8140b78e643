"""
The cloud's program under Pulumi's mocks: no account, no network, no CLI.

Pulumi and its provider are 400 MB, in an environment of their own: `make cloud`.
"""

import gc
import warnings
from importlib.util import find_spec

import pytest

from tests.cloud.mocked import Cloud

HERE = find_spec("pulumi") is not None
collect_ignore_glob = [] if HERE else ["test_*.py"]


def pytest_report_header() -> str | None:
    """Say where these tests are run, if not here."""
    return None if HERE else "cloud: not collected, Pulumi is not here (make cloud)"


@pytest.fixture(scope="session")
def cloud() -> Cloud:
    """Everything that `pulumi up` would make."""
    from tests.cloud.mocked import declared

    with warnings.catch_warnings():
        # The provider warns of its own old names as it is imported, and Pulumi leaves
        # the loops of its threads open.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", ResourceWarning)
        cloud = declared()
        gc.collect()
        return cloud

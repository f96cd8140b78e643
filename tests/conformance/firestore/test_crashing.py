"""A short run of `make crash`, and of the differential fuzz where the jar is found."""

import json
import sys
from pathlib import Path

import pytest

from tests.conformance.firestore.conftest import JAR
from tests.conformance.firestore.servers import client, running
from tests.crash.firestore import crash
from tests.fuzz.firestore.differential import compare
from tests.fuzz.firestore.operations import index_file

KILLS = 6
OPERATIONS = 250
WITHIN_S = 8.0


def test_acknowledged_writes_survive_kills(tmp_path: Path) -> None:
    """
    Killed at random instants, the server has all that it acknowledged.
    """
    assert crash(tmp_path, kills=KILLS, seed=7) > 0


def test_power_safe_writes_survive_kills(tmp_path: Path) -> None:
    """
    Also where each group of commits waits for the disk.
    """
    assert crash(tmp_path, kills=2, seed=8, options=("--power-safe",)) > 0


@pytest.mark.skipif(JAR is None, reason="Google's emulator jar was not found")
@pytest.mark.parametrize("seed", [11])
def test_random_operations_have_equal_results(
    tmp_path: Path, google: str, project: str, seed: int
) -> None:
    """
    Whatever is written, asked and listened to, both servers answer the same.
    """
    indexes = tmp_path / "indexes.json"
    indexes.write_text(json.dumps(index_file()))
    with (
        running(tmp_path / "data", "--indexes", str(indexes)) as server,
        client(server.address, project) as ours,
        client(google, project) as theirs,
    ):
        found = list(
            compare(ours, theirs, seed=seed, count=OPERATIONS, within_s=WITHIN_S)
        )

    sys.stdout.write(f"seed {seed}\n")
    assert found == []

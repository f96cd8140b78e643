"""
Kills the embedded Firestore at random instants and checks what it had acknowledged.

    python -m tests.crash.firestore --kills 300

Writers commit pairs of documents with a growing number.  After each kill the server is
started again on the same folder: every acknowledged pair must be there, both halves
alike, and found through its index.
"""

import argparse
import random
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore_v1.base_query import FieldFilter

from tests.conformance.firestore.servers import Client, ParleyFirestore, client

WRITERS = 4
LONGEST_LIFE_S = 0.4
CALL_TIMEOUT_S = 60.0
HALVES = ("rooms", "mirrors")


@dataclass(slots=True)
class Writer:
    """Commits pairs until the server dies; remembers the last acknowledged number."""

    name: str
    acknowledged: int = 0
    attempted: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, db: Client) -> None:
        """Commit one pair after the other."""
        while not self.stop.is_set():
            self.attempted += 1
            try:
                self._commit(db, self.attempted)
            except GoogleAPICallError:
                return
            self.acknowledged = self.attempted

    def _commit(self, db: Client, number: int) -> None:
        writes = []
        for half in HALVES:
            name = db.document(f"{half}/{self.name}")._document_path
            fields = {
                "n": {"integer_value": number},
                "text": {"string_value": "x" * (number % 500)},
            }
            writes.append({"update": {"name": name, "fields": fields}})
        db._firestore_api.commit(
            request={"database": db._database_string, "writes": writes},
            retry=None,
            timeout=CALL_TIMEOUT_S,
        )

    def check(self, db: Client) -> None:
        """Hold what is stored against what was acknowledged."""
        found = [db.document(f"{half}/{self.name}").get() for half in HALVES]
        numbers = {s.get("n") if s.exists else 0 for s in found}
        assert len(numbers) == 1, f"{self.name}: half a commit, {numbers}"
        number = numbers.pop()
        assert self.acknowledged <= number <= self.attempted, (
            f"{self.name}: acknowledged {self.acknowledged}, stored {number}"
        )
        self.attempted = self.acknowledged = number
        if number:
            self._check_index(db, number)

    def _check_index(self, db: Client, number: int) -> None:
        query: Any = db.collection(HALVES[0]).where(
            filter=FieldFilter("n", "==", number)
        )
        assert self.name in {snapshot.id for snapshot in query.stream()}


def crash(data: Path, *, kills: int, seed: int, options: tuple[str, ...] = ()) -> int:
    """
    Kill a server so many times; return how many commits were acknowledged.

    Raises:
        AssertionError: something acknowledged was lost.
    """
    chance = random.Random(seed)
    server = ParleyFirestore(data, options)
    writers = [Writer(f"w{number}") for number in range(WRITERS)]
    total = 0
    for _ in range(kills):
        server.start()
        total -= sum(writer.acknowledged for writer in writers)
        _live_and_die(server, writers, chance.uniform(0.0, LONGEST_LIFE_S))
        total += sum(writer.acknowledged for writer in writers)
    server.start()
    with client(server.address, "demo-crash") as db:
        for writer in writers:
            writer.check(db)
    assert server.stop() == 0
    return total


def _live_and_die(
    server: ParleyFirestore, writers: list[Writer], life_s: float
) -> None:
    with client(server.address, "demo-crash") as db:
        for writer in writers:
            writer.check(db)
            writer.stop.clear()
        found = [writer.acknowledged for writer in writers]
        threads = [threading.Thread(target=w.run, args=(db,)) for w in writers]
        for thread in threads:
            thread.start()
        while [w.acknowledged for w in writers] == found:  # on however busy a machine
            assert any(thread.is_alive() for thread in threads), "nothing is taken"
            time.sleep(0.001)
        time.sleep(life_s)
        server.kill()
        for writer in writers:
            writer.stop.set()
        for thread in threads:
            thread.join()


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    sys.stdout.write(f"firestore crash: seed {arguments.seed}\n")
    with tempfile.TemporaryDirectory() as folder:
        total = crash(Path(folder), kills=arguments.kills, seed=arguments.seed)
    sys.stdout.write(
        f"firestore crash: {arguments.kills} kills, {total} commits acknowledged, "
        "none lost\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

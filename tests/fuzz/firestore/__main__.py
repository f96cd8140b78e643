"""
Differential fuzz of the embedded Firestore against Google's emulator.

    python -m tests.fuzz.firestore --operations 10000 [--seed N]
"""

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

from tests.conformance.firestore.servers import (
    JAR_VARIABLE,
    client,
    emulator_jar,
    running,
    running_emulator,
)
from tests.fuzz.firestore.differential import compare
from tests.fuzz.firestore.operations import index_file


def main() -> int:
    """Run the command; the status tells whether there was a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    jar = emulator_jar()
    if jar is None:
        sys.stdout.write(f"firestore fuzz: skipped, no jar (set {JAR_VARIABLE})\n")
        return 0
    sys.stdout.write(f"firestore fuzz: seed {arguments.seed}\n")
    with tempfile.TemporaryDirectory() as folder:
        indexes = Path(folder, "indexes.json")
        indexes.write_text(json.dumps(index_file()))
        with (
            running(Path(folder, "data"), "--indexes", str(indexes)) as server,
            running_emulator(jar) as emulator,
            client(server.address, "demo-fuzz") as ours,
            client(emulator.address, "demo-fuzz") as theirs,
        ):
            count = 0
            for difference in compare(
                ours, theirs, seed=arguments.seed, count=arguments.operations
            ):
                count += 1
                sys.stdout.write(f"{difference}\n")
    sys.stdout.write(
        f"firestore fuzz: {arguments.operations} operations, {count} differences\n"
    )
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())

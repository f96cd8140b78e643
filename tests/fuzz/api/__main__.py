"""
Fuzz the whole API: people, roles, races and time, on the embedded Firestore.

    python -m tests.fuzz.api --steps 10000 [--seed N]
"""

import argparse
import random
import sys

from tests.fuzz.api.machine import STEP
from tests.fuzz.api.running import fuzz


def main() -> int:
    """Run the command; what it finds, it raises."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    sys.stdout.write(f"api fuzz: seed {arguments.seed}\n")
    sys.stdout.flush()
    counted = fuzz(steps=arguments.steps, seed=arguments.seed)
    steps = counted.pop(STEP)
    for answer, times in sorted(counted.items()):
        sys.stdout.write(f"{times:7} {answer}\n")
    sys.stdout.write(
        f"api fuzz: {steps} steps, {counted.total()} calls, nothing found\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

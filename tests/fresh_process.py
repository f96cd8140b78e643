"""What Python says in a process of its own, which has imported nothing yet."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FUNCTIONS: Final = Path(__file__).parents[1] / "functions"


def said_by(code: str, env: Mapping[str, str]) -> str:
    """
    Run `code` in the functions' folder, with no environment but `env`.

    Returns:
        What it printed.  Where it fails, so does the test.
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=FUNCTIONS,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

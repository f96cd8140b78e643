"""`python -m media_worker`: one live Space, configured by the environment."""

import sys

from .stop_signals import end_while_loading


def main() -> int:
    """Run the worker; return its exit code (`epoch_life.ExitCode`)."""
    end_while_loading()
    # Loaded while stops are heeded already.
    from .program import run

    return run()


if __name__ == "__main__":
    sys.exit(main())

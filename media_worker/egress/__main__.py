"""`python -m media_worker.egress`: what a room starts for its many listeners."""

import sys

from .processes.main import main

if __name__ == "__main__":
    sys.exit(main())

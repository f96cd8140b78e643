"""`python -m infra.local.gateway`: started by the supervisor, on inherited sockets."""

import sys

from .server import main

sys.exit(main(sys.argv[1:]))

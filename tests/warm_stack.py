"""
`python -m tests.warm_stack up …`: the embedded stack on a cluster's warm fleet.

Takes the command line of `infra.local up`; where the cluster is, it is told by the
environment: `WARM_CLUSTER_URL`, `WARM_ACCOUNT` (a service account's file).
"""

import argparse
import os
import sys
from pathlib import Path

from infra.local.up import UpOptions, up


def main() -> int:
    """Run until Ctrl-C; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["up"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    agones = {
        "PARLEY_LAUNCHER": "agones",
        "PARLEY_AGONES_NAMESPACE": "parley",
        "PARLEY_AGONES_FLEET": "workers",
        "PARLEY_AGONES_RENDER_FLEET": "renders",
        "PARLEY_KUBERNETES_API_URL": os.environ["WARM_CLUSTER_URL"],
        "PARLEY_KUBERNETES_CA_FILE": "/etc/ssl/certs/ca-certificates.crt",
        "GOOGLE_APPLICATION_CREDENTIALS": os.environ["WARM_ACCOUNT"],
    }
    return up(UpOptions(port=options.port, data=options.data, functions=agones))


if __name__ == "__main__":
    sys.exit(main())

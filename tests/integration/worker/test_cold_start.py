"""What a worker loads at its start, in a process of its own."""

import subprocess
import sys


def test_the_client_library_is_not_loaded() -> None:
    """
    The worker pays for Firestore's messages, not for two clients and HTTP; and a
    client that is imported afterwards in the same process works.
    """
    code = (
        "import sys, media_worker.firestore_link.link\n"
        "assert 'requests' not in sys.modules\n"
        "assert 'google.cloud.firestore_v1' not in sys.modules\n"
        "from google.cloud import firestore\n"
        "from google.cloud.firestore_v1.types import Document\n"
        "from media_worker.firestore_link import protocol\n"
        "assert protocol.Document is Document\n"
        "firestore.Client\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)

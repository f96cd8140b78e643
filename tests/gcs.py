"""
A stand-in for Google Cloud Storage: its XML API as S3 servers speak it, by moto.

It takes what obstore's client of GCS really sends (the XML API is S3's by design), but
knows nothing of Google's own: OAuth, signed URLs, soft delete, generations.
"""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import unquote

import requests
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    create_backend_app,
)
from obstore.store import GCSStore
from werkzeug.serving import make_server

# moto asks whose an object is, and looks no closer.
_SOMEBODY: Final = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request,"
    " SignedHeaders=host, Signature=none"
)

_URIS: Final = ("RAW_URI", "REQUEST_URI")  # a bucket's name is quoted by obstore alone


@contextmanager
def serving_gcs() -> Iterator[str]:
    """Yield the address of a server without buckets."""
    s3 = DomainDispatcherApplication(create_backend_app)

    def without_bearer(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        changed = {name: unquote(environ[name]) for name in _URIS if name in environ}
        changed["HTTP_AUTHORIZATION"] = _SOMEBODY
        answer: Iterable[bytes] = s3(environ | changed, start)
        return answer

    server = make_server("127.0.0.1", 0, without_bearer, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name="gcs")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def an_account(address: str) -> str:
    """Return a service account's key by which clients find the server."""
    return json.dumps(
        {
            "gcs_base_url": address,
            "disable_oauth": True,
            "client_email": "",
            "private_key": "",
            "private_key_id": "",
        }
    )


def a_gcs_bucket(address: str, name: str) -> GCSStore:
    """Make a bucket; return it as the project's code sees buckets of Google's."""
    requests.put(f"{address}/{name}", timeout=60).raise_for_status()
    return GCSStore(
        name,
        service_account_key=an_account(address),
        client_options={"allow_http": True},
    )

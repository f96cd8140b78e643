"""Any store that obstore knows, and what it means when one does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore.store import ObjectStore, from_url

from ..domain.errors import DependencyUnavailable

if TYPE_CHECKING:  # these two are in the stubs alone
    from obstore.store import ClientConfig, RetryConfig

LOCAL_SCHEME: Final = "file://"
CLIENT_OPTIONS: Final["ClientConfig"] = {"connect_timeout": "2s", "timeout": "5s"}
RETRY: Final["RetryConfig"] = {"max_retries": 2, "retry_timeout": timedelta(seconds=6)}


def open_store(url: str) -> ObjectStore:
    """
    Return the store of `url`: "file:///…", "s3://…" or "gs://…".

    One that does not answer is given up in seconds, not in the library's minutes.
    """
    if url.startswith(LOCAL_SCHEME):
        return from_url(url, mkdir=True, automatic_cleanup=True)
    return from_url(url, client_options=CLIENT_OPTIONS, retry_config=RETRY)


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise DependencyUnavailable for what fails, but where an object is not there."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (obstore.exceptions.BaseError, OSError) as error:
        raise DependencyUnavailable from error

"""Any store that obstore knows, and what it means when one does not answer."""

import os
from collections.abc import Callable, Iterator
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
ALLOW_HTTP: Final = "AWS_ALLOW_HTTP"  # the library's own, as its other settings
RETRY: Final["RetryConfig"] = {"max_retries": 2, "retry_timeout": timedelta(seconds=6)}


def open_store(url: str) -> ObjectStore:
    """
    Return the store of `url`: "file:///…", "s3://…" or "gs://…".

    One that does not answer is given up in seconds, not in the library's minutes.
    """
    if url.startswith(LOCAL_SCHEME):
        return from_url(url, mkdir=True, automatic_cleanup=True)
    options: ClientConfig = {**CLIENT_OPTIONS}
    # Options replace all that the environment says of the client, this too.
    if os.environ.get(ALLOW_HTTP, "").lower() == "true":
        options["allow_http"] = True
    return from_url(url, client_options=options, retry_config=RETRY)


@contextmanager
def store_errors() -> Iterator[None]:
    """Raise DependencyUnavailable for what fails, but where an object is not there."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (obstore.exceptions.BaseError, OSError) as error:
        raise DependencyUnavailable from error


def erase_below(
    store: ObjectStore, prefix: str, wanted: Callable[[str], bool] = bool
) -> int:
    """
    List, delete, and list again, until nothing is left; return how much it was.

    Args:
        wanted: Whether the object of this name shall go; by default each shall.

    Raises:
        DependencyUnavailable: the store does not answer.
    """
    erased = 0
    with store_errors():
        while names := _names(store, prefix, wanted):
            try:
                obstore.delete(store, names)
            except FileNotFoundError:  # by another task: see what is left
                continue
            erased += len(names)
    return erased


def _names(store: ObjectStore, prefix: str, wanted: Callable[[str], bool]) -> list[str]:
    entries = (entry for page in obstore.list(store, prefix) for entry in page)
    return [entry["path"] for entry in entries if wanted(entry["path"])]

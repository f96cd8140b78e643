"""The object store of the live edge: every call ends in time, none raises."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Final

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore, from_url

logger = logging.getLogger(__name__)

ATTEMPT_TIMEOUT_S: Final = 2.0
RETRY_S: Final = 0.2
LOCAL_SCHEME: Final = "file://"
STORE_ERRORS: Final = (BaseError, OSError, TimeoutError)


class EdgeStore:
    """
    Puts and deletes objects, with few retries: what is late is of no use.

    Args:
        url: "file:///…", "s3://…", "gs://…"; local folders are made where missing.

    Attributes:
        failures: Attempts that failed.
    """

    def __init__(self, url: str) -> None:
        # Folders know neither content types nor cache lifetimes: whoever serves
        # them sets both.
        self._local = url.startswith(LOCAL_SCHEME)
        self._store: ObjectStore = (
            from_url(url, mkdir=True) if self._local else from_url(url)
        )
        self.failures = 0

    async def put(
        self, name: str, body: bytes, *, kind: Mapping[str, str], within_s: float
    ) -> bool:
        """
        Store an object whole; return whether that is known to have succeeded.

        Args:
            kind: Content-Type and Cache-Control.
            within_s: No attempt goes on for longer than that.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                pause_s = RETRY_S
                while not await self.try_put(name, body, kind=kind):
                    await asyncio.sleep(pause_s)
                    pause_s *= 2
                return True
        return False

    async def try_put(self, name: str, body: bytes, *, kind: Mapping[str, str]) -> bool:
        """Try once to store an object; return whether that succeeded."""
        attributes = None if self._local else dict(kind)
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                await obstore.put_async(self._store, name, body, attributes=attributes)
        except STORE_ERRORS as error:
            self._failed("put", error)
            return False
        return True

    async def delete(self, names: Sequence[str]) -> bool:
        """Delete objects; return False where some may be left."""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                for name in names:
                    with contextlib.suppress(FileNotFoundError, NotFoundError):
                        await obstore.delete_async(self._store, name)
        except STORE_ERRORS as error:
            self._failed("delete", error)
            return False
        return True

    async def exists(self, name: str) -> bool:
        """Tell whether there is such an object; a store in trouble has none."""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                await obstore.head_async(self._store, name)
        except (FileNotFoundError, NotFoundError):
            return False
        except STORE_ERRORS as error:
            self._failed("head", error)
            return False
        return True

    async def names(self, prefix: str) -> list[str] | None:
        """Return the names of all below a prefix; None: they are not to be had."""
        try:
            async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
                found = await obstore.list(self._store, prefix).collect_async()
        except STORE_ERRORS as error:
            self._failed("list", error)
            return None
        return [each["path"] for each in found]

    def _failed(self, call: str, error: Exception) -> None:
        self.failures += 1
        logger.warning(
            "live edge call failed", extra={"call": call, "error": type(error).__name__}
        )

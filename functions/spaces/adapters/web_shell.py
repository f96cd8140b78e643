"""The web client's page, read over HTTP from wherever it is hosted."""

import logging
import time
from collections.abc import Callable
from typing import Final

import requests

from ..domain.errors import DependencyUnavailable
from ..service.web_shell import Shell

TIMEOUT_S: Final = (1.0, 2.0)  # to connect, between two bytes
FRESH_FOR_S: Final = 15.0
MAX_BYTES: Final = 256 * 1024
# What makes the page strict goes with it: one place says it, firebase.json.
KEPT_HEADERS: Final = (
    "Content-Security-Policy",
    "Permissions-Policy",
    "Referrer-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
)

logger = logging.getLogger(__name__)


class HttpWebShell:
    """
    `WebShell` over HTTP; keeps the last page for when it cannot be read.

    Args:
        monotonic: Seconds of a clock that never goes back.
    """

    def __init__(
        self, url: str, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._monotonic = monotonic
        self._kept: tuple[Shell, float] | None = None  # with when it was read

    def read(self) -> Shell:
        """Read it unless it was read just now; see `WebShell`."""
        kept, now_s = self._kept, self._monotonic()
        if kept is not None and now_s < kept[1] + FRESH_FOR_S:
            return kept[0]
        try:
            shell = _fetch(self._url)
        except requests.RequestException as error:
            if kept is None:
                raise DependencyUnavailable from error
            logger.warning("web client unreadable", extra={"error": str(error)})
            shell = kept[0]
        self._kept = shell, now_s
        return shell


def _fetch(url: str) -> Shell:
    with requests.Session() as session:
        session.trust_env = False  # its own host: no proxy, no .netrc
        answer = session.get(url, timeout=TIMEOUT_S, allow_redirects=False)
        if answer.status_code != requests.codes.ok or len(answer.content) > MAX_BYTES:
            raise requests.RequestException(f"{answer.status_code} from {url}")
    headers = {n: answer.headers[n] for n in KEPT_HEADERS if n in answer.headers}
    return Shell(answer.content.decode(errors="replace"), headers)

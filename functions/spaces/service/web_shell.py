"""The web client's page, as whoever puts a Space's tags into it needs it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Shell:
    """
    The page as it is deployed.

    Args:
        headers: Those with which it is served that say what a browser may do with it.
    """

    html: str
    headers: Mapping[str, str]


class WebShell(Protocol):
    """Where the page is."""

    def read(self) -> Shell:
        """
        Return the page; it may be some seconds old.

        Raises:
            DependencyUnavailable: it was never read, and cannot be read now.
        """
        ...

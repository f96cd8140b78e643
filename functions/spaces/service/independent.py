"""Work whose parts must not hold each other up."""

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


def all_of(*parts: Callable[[], None]) -> None:
    """
    Run each part, whatever became of those before.

    Raises:
        Exception: the first failure, when all were run; each is logged.
    """
    failures: list[Exception] = []
    for part in parts:
        try:
            part()
        except Exception as error:  # whatever it is, the next part is none the worse
            logger.warning("one of several parts failed", exc_info=True)
            failures.append(error)
    if failures:
        raise failures[0]

"""Log records as one JSON object a line, in Cloud Logging's words."""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from .timestamps import rfc3339

# What every record has; anything beyond it was given as `extra`.
STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """
    Writes `severity`, `message`, `time`, `logger`, the facts and all `extra`.

    Args:
        facts: What else is part of a line just now; asked for each.
    """

    def __init__(self, facts: Callable[[], Mapping[str, object]]) -> None:
        super().__init__()
        self._facts = facts

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, object] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "time": rfc3339(datetime.fromtimestamp(record.created, UTC)),
            "logger": record.name,
            **self._facts(),
        }
        line |= {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)

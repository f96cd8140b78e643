"""Logs as JSON lines, in the words of Cloud Logging."""

import json
import logging
import sys
from typing import Final

# What every record has; anything beyond it was given as `extra`.
STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class JsonFormatter(logging.Formatter):
    """
    One line per record: `severity`, `message`, `logger`, and the `extra` keys.

    Args:
        context: Keys that every line carries.
    """

    def __init__(self, context: dict[str, object]) -> None:
        super().__init__()
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """Return `record` as a JSON object."""
        line: dict[str, object] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "logger": record.name,
            **self._context,
        }
        line |= {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(**context: object) -> None:
    """Send all logs of level INFO and above to stderr, each with `context`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(context))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("uvicorn", "grpc", "google", "aioice", "aiortc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

"""Logs as JSON lines."""

import logging
import sys

from spaces_contract.json_lines import JsonFormatter


def configure(**context: object) -> None:
    """Send all logs of level INFO and above to stderr, each with `context`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(lambda: context))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("uvicorn", "grpc", "google", "aioice", "aiortc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

"""Logs as JSON lines."""

import logging
import sys

from spaces_contract.json_lines import JsonFormatter
from spaces_contract.trace_context import log_facts


def configure(project_id: str | None = None, **context: object) -> None:
    """
    Send all logs of level INFO and above to stderr.

    Args:
        project_id: Google's project, whose log shows a trace's lines together.
        context: Is in each, beside the trace at hand.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(lambda: {**context, **log_facts(project_id)}))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # A collector that is away must not fill the log.
    logging.getLogger("opentelemetry").setLevel(logging.ERROR)
    for chatty in ("uvicorn", "grpc", "google", "aioice", "aiortc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)

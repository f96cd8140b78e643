"""Log records as JSON lines that say which request they belong to."""

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from spaces_contract.json_lines import JsonFormatter
from spaces_contract.trace_context import log_facts

# Facts of the request at hand; part of every record written meanwhile.
request_facts: ContextVar[Mapping[str, Any] | None] = ContextVar(
    "request_facts", default=None
)


def request_formatter(project_id: str | None = None) -> JsonFormatter:
    """
    Return a formatter whose lines carry the facts of the request and trace at hand.

    Args:
        project_id: Google's project, whose log shows a trace's lines together.
    """
    return JsonFormatter(
        lambda: {**(request_facts.get() or {}), **log_facts(project_id)}
    )


def configure_logging(project_id: str | None) -> None:
    """Let the package, and what exports traces, log to stderr, once per process."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(request_formatter(project_id))
    for name, level in (("spaces", logging.INFO), ("opentelemetry", logging.ERROR)):
        root = logging.getLogger(name)
        if not root.handlers:
            root.addHandler(handler)
            root.setLevel(level)
            root.propagate = False

"""Log records as JSON lines that say which request they belong to."""

import logging
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from spaces_contract.json_lines import JsonFormatter

# Facts of the request at hand; part of every record written meanwhile.
request_facts: ContextVar[Mapping[str, Any] | None] = ContextVar(
    "request_facts", default=None
)


def request_formatter() -> JsonFormatter:
    """Return a formatter whose lines carry the facts of the request at hand."""
    return JsonFormatter(lambda: request_facts.get() or {})


def configure_logging() -> None:
    """Let the package log to standard error, once per process."""
    root = logging.getLogger("spaces")
    if root.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(request_formatter())
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False

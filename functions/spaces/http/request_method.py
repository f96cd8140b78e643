"""What a request's method is called in logs and traces: never a client's own word."""

from typing import Final

# RFC 9110 and RFC 5789, as OpenTelemetry's conventions for HTTP have them.
KNOWN: Final = frozenset(
    {
        *("CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
        "TRACE",
    }
)
OTHER: Final = "_OTHER"


def told_method(method: str) -> str:
    """Return a known method, which is written in capitals, or `OTHER`."""
    return method if method in KNOWN else OTHER

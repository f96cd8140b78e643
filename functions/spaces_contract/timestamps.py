"""Moments as text, in JSON and in logs."""

from datetime import UTC, datetime


def rfc3339(moment: datetime) -> str:
    """Return an aware `moment` in UTC, in milliseconds: "2026-01-31T12:00:00.000Z"."""
    utc = moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")

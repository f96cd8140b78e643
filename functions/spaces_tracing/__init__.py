"""Spans of what Parley does, for OpenTelemetry where it is configured."""

"""Recordings, and everybody's consent to them."""

from ..http.operations import Operation
from ..recording_parts import RecordingParts
from .parts import Parts


def operations(parts: Parts) -> tuple[Operation, ...]:
    """Return the operations on recordings, and on what one has agreed to."""
    config = parts.config
    recorded = RecordingParts(config.recording, parts.client, config.public_url)
    return recorded.operations(parts.effects)

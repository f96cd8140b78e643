"""Field transforms that let the server, not this machine's clock, tell the time."""

from .protocol import DocumentTransform


def server_time(field_path: str) -> DocumentTransform.FieldTransform:
    """Return a transform that sets `field_path` to the time of the commit."""
    return DocumentTransform.FieldTransform(
        field_path=field_path,
        set_to_server_value=(DocumentTransform.FieldTransform.ServerValue.REQUEST_TIME),
    )

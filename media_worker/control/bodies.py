"""Bodies of requests to the control API, read with bounds."""

from starlette.requests import ClientDisconnect, Request

from spaces_contract.control import ControlError
from spaces_contract.media import MAX_SDP_BYTES

from ..room.ports import SessionRefused


async def bounded_body(request: Request) -> bytes:
    """
    Read the body, but no more of it than an SDP may have.

    Raises:
        SessionRefused: it is longer, or cut short.
    """
    body = bytearray()
    try:
        async for part in request.stream():
            body += part
            if len(body) > MAX_SDP_BYTES:
                raise SessionRefused(
                    ControlError.SDP_TOO_LARGE, f"at most {MAX_SDP_BYTES} bytes"
                )
    except ClientDisconnect:
        raise SessionRefused(ControlError.SDP_MALFORMED, "cut short") from None
    return bytes(body)


def offer_of(body: bytes) -> str:
    """
    Return the SDP in a body.

    Raises:
        SessionRefused: it is empty, or no text.
    """
    if not body.strip():
        raise SessionRefused(ControlError.SDP_EMPTY, "an SDP offer is needed")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise SessionRefused(ControlError.SDP_MALFORMED, "not UTF-8") from None

"""Messages between a room and its egress processes."""

from typing import Any

import pytest

from media_worker.egress.processes import messages
from media_worker.egress.processes.messages import decode, encode

OFFER = 'v=0\r\ns=-\r\na=quote:"\\ und ü\r\n'


@pytest.mark.parametrize(
    "message",
    [
        messages.Open(
            request=1,
            session_id="s",
            user_id="ü",
            grant_id="g",
            kind="whep",
            offer=OFFER,
            traceparent="00-0",
        ),
        messages.Close(session_id="s", reason="left"),
        messages.Ask(request=2),
        messages.Stop(reason="worker_stopping"),
        messages.Ready(),
        messages.Answered(request=1, answer=OFFER),
        messages.Refused(request=1, code="worker-full", detail="no more"),
        messages.Connected(session_id="s"),
        messages.Reached(session_id="s", step="dtls", at_ns=2**62),
        messages.Closed(session_id="s", reason="left"),
        messages.Draining(),
        messages.Report(
            request=2,
            cpu_s=0.5,
            rss_bytes=1,
            transport={"a": 1},
            fan_out={},
            lost={"s": 0.25},
        ),
    ],
    ids=lambda message: type(message).__name__,
)
def test_a_message_is_one_line_and_comes_out_as_it_went_in(message: Any) -> None:
    """
    Whatever an offer holds, the line ends where the message ends.
    """
    line = encode(message)

    assert line.index(b"\n") == len(line) - 1
    assert decode(line) == message

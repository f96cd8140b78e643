"""Tells somebody on stage that their microphone picks up others."""

import json

from spaces_contract.ids import UserId
from spaces_contract.roles import PeerKind
from spaces_contract.room_state import StageMessage

from .ports import MediaEndpoint
from .session_book import SessionBook


def warn_of_echo(
    user_id: UserId, *, endpoint: MediaEndpoint, book: SessionBook
) -> None:
    """Advise headphones; who has no open channel is not told."""
    session = book.latest(user_id, PeerKind.WHIP)
    if session is not None and session.channel_open:
        text = json.dumps({"type": StageMessage.ECHO.value})
        endpoint.send_stage_message(session.session_id, text)

"""Tells somebody on stage that their microphone picks up others."""

from spaces_contract.ids import UserId
from spaces_contract.roles import PeerKind

from .ports import MediaEndpoint
from .session_book import SessionBook
from .stage_messages import echo_message


def warn_of_echo(
    user_id: UserId, *, endpoint: MediaEndpoint, book: SessionBook
) -> None:
    """Advise headphones; who has no open channel is not told."""
    session = book.latest(user_id, PeerKind.WHIP)
    if session is not None and session.channel_open:
        endpoint.send_stage_message(session.session_id, echo_message())

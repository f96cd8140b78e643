"""Tells hosts whose network is bad: what is lost of each voice, on both ways."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import Role
from spaces_contract.room_state import NetworkGrade, StageNetwork

from .ports import DesiredState, MediaEndpoint
from .session_book import SessionBook
from .speaker import Speaker
from .stage_messages import network_message

LOOKS: Final = 5  # one a second: a glitch is over before anybody could act on it
FAIR_LOSS: Final = 0.03  # in-band FEC and concealment hide what is less
POOR_LOSS: Final = 0.10
FAIR_JITTER_S: Final = 0.030
POOR_JITTER_S: Final = 0.080
_HOSTS: Final = frozenset({Role.HOST, Role.CO_HOST})


def network_grade(*, lost: float, jitter_s: float) -> NetworkGrade:
    """
    Return how well somebody is connected.

    Args:
        lost: The worse of both ways, 0 to 1.
        jitter_s: RFC 3550 6.4.1, of what they send.
    """
    if lost >= POOR_LOSS or jitter_s >= POOR_JITTER_S:
        return NetworkGrade.POOR
    if lost >= FAIR_LOSS or jitter_s >= FAIR_JITTER_S:
        return NetworkGrade.FAIR
    return NetworkGrade.GOOD


class StageNetworks:
    """
    Looks at everybody on stage once a second and tells hosts what has changed.

    Args:
        speakers: Who sends just now; read at each look.
    """

    def __init__(
        self,
        endpoint: MediaEndpoint,
        book: SessionBook,
        speakers: Mapping[UserId, Speaker],
    ) -> None:
        self._endpoint = endpoint
        self._book = book
        self._speakers = speakers
        # Received and lost; whoever comes back is counted anew.
        self._seen: dict[Speaker, deque[tuple[int, int]]] = {}
        self._told: dict[SessionId, str] = {}

    def look(self, desired: DesiredState, hearers: Mapping[UserId, SessionId]) -> None:
        """Take one look, a second after the last one."""
        text = network_message(self._people(hearers))
        before, self._told = self._told, {}
        for session in self._book:
            member = desired.stage.get(session.user_id)
            if not session.channel_open or member is None or member.role not in _HOSTS:
                continue
            key = session.session_id
            if before.get(key) == text or self._endpoint.send_stage_message(key, text):
                self._told[key] = text

    def _people(self, hearers: Mapping[UserId, SessionId]) -> Iterator[StageNetwork]:
        present = self._speakers.values()
        self._seen = {each: self._seen.get(each, _nothing()) for each in present}
        for user_id, speaker in self._speakers.items():
            buffer, seen = speaker.playout.buffer, self._seen[speaker]
            seen.append((buffer.counts.received, buffer.counts.lost))
            received, lost = (
                new - old for old, new in zip(seen[0], seen[-1], strict=True)
            )
            sent_lost = lost / (received + lost) if received + lost > 0 else 0.0
            session_id = hearers.get(user_id)
            heard_lost = (
                0.0 if session_id is None else self._endpoint.fraction_lost(session_id)
            )
            jitter_s = buffer.delay.jitter_s
            yield StageNetwork(
                uid=user_id,
                grade=network_grade(lost=max(sent_lost, heard_lost), jitter_s=jitter_s),
                sent_lost=round(sent_lost, 2),
                heard_lost=round(heard_lost, 2),
                jitter_ms=10 * round(100 * jitter_s),
            )


def _nothing() -> deque[tuple[int, int]]:
    return deque(maxlen=LOOKS + 1)

"""The room's side of its relays: lets them hear, and takes their reports."""

from dataclasses import replace
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.relays import RelayReport, relay_user
from spaces_contract.roles import PeerKind

from .ports import SessionRefused
from .room import Room

_GRANT: Final = "feed"  # of sessions that no client's grant has opened


class RelayFeeds:
    """Feeds are WHEP sessions whose holders are no people; they are counted nowhere."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def open_feed(self, offer_sdp: str, index: int) -> str:
        """
        Return the answer to a relay's offer; its earlier feed is closed.

        Raises:
            SessionRefused: with the `ControlError` that says why.
        """
        _, answer = await self._room.doorway.open(
            offer_sdp,
            user_id=relay_user(index),
            kind=PeerKind.WHEP,
            grant_id=_GRANT,
        )
        return answer

    def relay_reported(self, index: int, report: RelayReport) -> None:
        """
        Note how many hear a relay.

        Raises:
            SessionRefused: it has no feed here.
        """
        if self._room.book.latest(relay_user(index), PeerKind.WHEP) is None:
            raise SessionRefused(
                ControlError.SESSION_NOT_FOUND, "no feed of this relay"
            )
        self._room.relays.told(index, replace(report, arrived=()))
        for user_id in report.arrived:
            self._room.book.hears_elsewhere(user_id)

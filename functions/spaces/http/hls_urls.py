"""Where those who hear by HLS find what, in one deployment."""

from spaces_contract import paths
from spaces_contract.ids import SpaceId

from ..domain.listener_playlist import listener_playlist
from ..service.listening import KeyPlace


class HlsUrls:
    """
    Where listeners of one deployment find what.

    Args:
        public_url: Of the API.
        live_url: Of the live edge.
    """

    def __init__(self, public_url: str, live_url: str) -> None:
        self._public_url = public_url
        self._live_url = live_url

    def listen(self, space_id: SpaceId, token: str) -> str:
        """Return a listener's own playlist."""
        return f"{self._public_url}/v1/spaces/{space_id}/listen.m3u8?t={token}"

    def room(self, space_id: SpaceId, epoch: int) -> str:
        """Return room.json."""
        return f"{self._live_url}/{paths.room_object(space_id, epoch)}"

    def playlist(self, space_id: SpaceId, token: str, place: KeyPlace | None) -> str:
        """
        Return the text of a listener's own playlist, whose keys are at `place` or here.

        Where all is one origin no URL names it: a page that was opened by another name
        of this machine then sends its cookie along.
        """
        one = self._live_url == self._public_url
        api, edge = ("", "") if one else (self._public_url, self._live_url)
        return listener_playlist(
            playlist_url=f"{edge}/{paths.playlist_object(space_id)}",
            keys_url=place.url if place else f"{api}/v1/spaces/{space_id}/keys",
            key_query=place.query if place else f"t={token}",
        )

    def cookie_path(self, place: KeyPlace) -> str | None:
        """Return for which paths a cookie goes to `place`; None: to another host."""
        if not place.url.startswith(f"{self._public_url}/"):
            return None
        return f"{place.url.removeprefix(self._public_url)}/"

    @property
    def secure(self) -> bool:
        """Whether cookies are for TLS alone."""
        return self._public_url.startswith("https:")

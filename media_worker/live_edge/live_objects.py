"""What HLS has in the object store: segments, and the playlist that names them."""

from collections import deque
from collections.abc import Iterable
from typing import Final, Protocol

from spaces_contract.hls import (
    PLAYLIST_CACHE,
    PLAYLIST_TYPE,
    SEGMENT_CACHE,
    SEGMENT_TYPE,
    WINDOW_S,
)
from spaces_contract.paths import (
    live_edge,
    playlist_object,
    segment_epoch,
    segment_object,
)

from ..room.clock import Clock
from .playlist import Segment, Window
from .segment_maker import MadeSegment

SEGMENT: Final = {"Content-Type": SEGMENT_TYPE, "Cache-Control": SEGMENT_CACHE}
PLAYLIST: Final = {"Content-Type": PLAYLIST_TYPE, "Cache-Control": PLAYLIST_CACHE}
SEGMENT_PATIENCE_S: Final = 4.0
PLAYLIST_PATIENCE_S: Final = 2.0
# RFC 8216 6.2.2: a segment stays for one playlist's length after it left it, and for
# its own: players may just have read its name.
KEPT_S: Final = WINDOW_S + 1.0
DELETES_AT_ONCE: Final = 50
MAX_LEAVING: Final = 5_000  # what a store that deletes nothing leaves to the sweep


class Objects(Protocol):
    """A store whose calls end in time and never raise; see `EdgeStore`."""

    failures: int

    async def put(
        self, name: str, body: bytes, *, kind: dict[str, str], within_s: float
    ) -> bool:
        """Store an object; return whether that succeeded."""
        ...

    async def delete(self, names: list[str]) -> bool:
        """Delete objects; return whether that succeeded."""
        ...

    async def exists(self, name: str) -> bool:
        """Tell whether there is such an object."""
        ...

    async def names(self, prefix: str) -> list[str] | None:
        """Return the names of all below a prefix; None: they are not to be had."""
        ...


class LiveObjects:
    """
    Keeps window and store in step: nothing is named before it is stored, and nothing
    deleted while somebody may have read its name.
    """

    def __init__(
        self, space_id: str, epoch: int, store: Objects, *, clock: Clock
    ) -> None:
        self._space_id = space_id
        self._epoch = epoch
        self._store = store
        self._clock = clock
        self._window = Window(epoch)
        self._leaving: deque[tuple[float, str]] = deque(maxlen=MAX_LEAVING)
        self._unwanted = False  # the playlist is to be deleted, and is not yet

    @property
    def listed(self) -> int:
        """How many segments the playlist names."""
        return len(self._window.segments)

    async def has_playlist(self) -> bool:
        """Whether there is a playlist, of whichever worker."""
        return await self._store.exists(playlist_object(self._space_id))

    async def are_followed(self) -> bool:
        """Whether there are segments of a later epoch; False where nobody can tell."""
        names = await self._store.names(live_edge(self._space_id)) or ()
        epochs = (segment_epoch(name) for name in names)
        return any(epoch is not None and epoch > self._epoch for epoch in epochs)

    async def store(self, made: MadeSegment) -> bool:
        """Store a segment; return whether it may be listed."""
        name = self._name(made.segment)
        stored = await self._store.put(
            name, made.body, kind=SEGMENT, within_s=SEGMENT_PATIENCE_S
        )
        if not stored:  # or it was, and nobody told us
            self._leaving.append((self._clock.now_s() + KEPT_S, name))
        return stored

    def list(self, segment: Segment) -> None:
        """Let the next playlist name a segment that is stored."""
        self._let_go(self._window.add(segment))

    async def write_playlist(self, *, ended: bool = False) -> bool:
        """Replace the playlist; return whether that succeeded."""
        self._unwanted = False
        text = self._window.playlist(ended=ended)
        return await self._store.put(
            playlist_object(self._space_id),
            text.encode(),
            kind=PLAYLIST,
            within_s=PLAYLIST_PATIENCE_S,
        )

    async def withdraw(self) -> None:
        """Delete the playlist now, and in time all that it named."""
        self._let_go(self._window.clear())
        self._unwanted = True
        await self._delete_playlist()

    async def sweep(self) -> None:
        """Delete what has waited long enough; what fails is tried again."""
        if self._unwanted:
            await self._delete_playlist()
        for _ in range(DELETES_AT_ONCE):
            if not self._is_due():
                return
            # One by one: each has its time, so a slow store gets on with many too.
            leaving = self._leaving.popleft()
            if not await self._store.delete([leaving[1]]):
                self._leaving.appendleft(leaving)
                return

    async def _delete_playlist(self) -> None:
        if await self._store.delete([playlist_object(self._space_id)]):
            self._unwanted = False

    def _is_due(self) -> bool:
        return bool(self._leaving) and self._leaving[0][0] <= self._clock.now_s()

    def _let_go(self, segments: Iterable[Segment]) -> None:
        due_s = self._clock.now_s() + KEPT_S
        self._leaving.extend((due_s, self._name(segment)) for segment in segments)

    def _name(self, segment: Segment) -> str:
        return segment_object(self._space_id, segment.epoch, segment.serial)

"""Keys for an audience that no function could serve: objects behind the CDN."""

from typing import Final

from spaces_contract.hls import CDN_KEYS_FROM, KEY_PERIOD_S
from spaces_contract.paths import live_key_epoch, live_key_object, live_keys

from .live_objects import Objects
from .segment_keys import SegmentKeys

KEY: Final = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": f"public, max-age={KEY_PERIOD_S}",
}
SHARED_FROM: Final = 0.8 * CDN_KEYS_FROM  # there before anybody is sent to them
SHARED_UNTIL: Final = 0.6 * CDN_KEYS_FROM
PATIENCE_S: Final = 5.0


class KeyObjects:
    """
    Puts the keys that are told into a store of their own, while the audience is that
    large, and takes each away one period after its last use.  Those that a worker of an
    earlier epoch could not take away go first.

    Args:
        store: Never the one of segments; without old versions or soft delete.
    """

    def __init__(
        self, space_id: str, epoch: int, keys: SegmentKeys, store: Objects
    ) -> None:
        self._space_id = space_id
        self._epoch = epoch
        self._keys = keys
        self._store = store
        self._shared: set[int] = set()
        self._left: set[int] = set()  # those, and any whose put was not answered
        self._is_swept = False

    async def follow(self, told: range, *, listeners: int, ours: bool) -> None:
        """
        Share what `listeners` need now; call often.

        Args:
            told: The key in use, and others that may be known by now.
            ours: Whether the epoch is; before that another worker serves by its keys.
        """
        if ours and not self._is_swept:
            self._is_swept = await self._sweep()
        if listeners >= (SHARED_UNTIL if self._shared else SHARED_FROM):
            for wanted in set(told) - self._shared:
                await self._put(wanted)
            await self._delete({each for each in self._left if each < told.start - 1})
        else:
            await self.clear()

    async def clear(self) -> None:
        """Take all of them away; what fails is left to the next call."""
        await self._delete(set(self._left))

    async def _sweep(self) -> bool:
        """Delete the keys of earlier epochs; return whether none is left."""
        found = await self._store.names(live_keys(self._space_id))
        if found is None:
            return False
        epochs = ((name, live_key_epoch(name)) for name in found)
        former = [n for n, epoch in epochs if epoch is not None and epoch < self._epoch]
        return not former or await self._store.delete(former)

    async def _put(self, number: int) -> None:
        self._left.add(number)
        stored = await self._store.put(
            self._name(number), self._keys.key(number), kind=KEY, within_s=PATIENCE_S
        )
        if stored:
            self._shared.add(number)

    async def _delete(self, numbers: set[int]) -> None:
        names = [self._name(number) for number in numbers]
        if names and await self._store.delete(names):
            self._shared -= numbers
            self._left -= numbers

    def _name(self, number: int) -> str:
        return live_key_object(self._space_id, self._epoch, number)

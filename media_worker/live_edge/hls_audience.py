"""Who listens by HLS, as far as anybody can know."""

from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from spaces_contract.hls import COUNTED_FOR_S
from spaces_contract.ids import UserId

MAX_KEPT: Final = 16_384  # 3 MB; a larger audience is counted by a sample


class HlsAudience:
    """
    Counts listeners by what they ask for: the playlist once, then a key now and then.

    Up to `MAX_KEPT` the number is exact.  Beyond, only every 2nd, 4th, … listener is
    kept, chosen by a hash, and stands for so many, so that memory is bounded and the
    same person is counted once however often they ask: the error is some 1 %.  When
    the crowd has gone, those who stay are kept one by one again as they ask.
    """

    def __init__(self, *, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        # Oldest first: when each asked, and how many they stand for.
        self._kept: OrderedDict[UserId, tuple[float, int]] = OrderedDict()
        self._count = 0
        self._every = 1  # which listeners are kept from now on: a power of two

    def __len__(self) -> int:
        return self._count

    def note(self, user_id: UserId, now_s: float) -> None:
        """Count somebody who has just asked for something."""
        if not self._is_kept(user_id):
            return
        self.forget(user_id)
        self._keep(user_id, now_s, self._every)
        while len(self._kept) > self._max_kept:
            self._thin_out()

    def forget(self, user_id: UserId) -> None:
        """Count somebody no more; whoever was not counted is ignored."""
        _, stands_for = self._kept.pop(user_id, (0.0, 0))
        self._count -= stands_for

    def expire(self, now_s: float) -> None:
        """Count those no more who have asked for nothing for too long."""
        while self._kept:
            user_id, (seen_s, _) = next(iter(self._kept.items()))
            if now_s - seen_s < COUNTED_FOR_S:
                break
            self.forget(user_id)
        # Whoever stood for several stands for fewer when they ask again, and the
        # others come with what they ask: the count is right all the while.
        while self._every > 1 and 2 * self._count // self._every <= self._max_kept // 2:
            self._every //= 2

    def _thin_out(self) -> None:
        self._every *= 2
        kept, self._kept, self._count = self._kept, OrderedDict(), 0
        for user_id, (seen_s, stood_for) in kept.items():
            if self._is_kept(user_id):
                self._keep(user_id, seen_s, max(stood_for, self._every))

    def _keep(self, user_id: UserId, seen_s: float, stands_for: int) -> None:
        self._kept[user_id] = (seen_s, stands_for)
        self._count += stands_for

    def _is_kept(self, user_id: UserId) -> bool:
        if self._every == 1:
            return True
        digest = int.from_bytes(blake2b(user_id.encode(), digest_size=8).digest())
        return digest % self._every == 0

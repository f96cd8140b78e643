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
    kept, chosen by a hash, so that memory is bounded and the same person is counted
    once however often they ask: the error is some 1 %.
    """

    def __init__(self, *, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        self._seen_s: OrderedDict[UserId, float] = OrderedDict()  # oldest first
        self._halvings = 0

    def __len__(self) -> int:
        return len(self._seen_s) << self._halvings

    def note(self, user_id: UserId, now_s: float) -> None:
        """Count somebody who has just asked for something."""
        if not self._is_kept(user_id):
            return
        self._seen_s[user_id] = now_s
        self._seen_s.move_to_end(user_id)
        while len(self._seen_s) > self._max_kept:
            self._halvings += 1
            for each in [u for u in self._seen_s if not self._is_kept(u)]:
                del self._seen_s[each]

    def forget(self, user_id: UserId) -> None:
        """Count somebody no more; whoever was not counted is ignored."""
        self._seen_s.pop(user_id, None)

    def expire(self, now_s: float) -> None:
        """Count those no more who have asked for nothing for too long."""
        while self._seen_s:
            user_id, seen_s = next(iter(self._seen_s.items()))
            if now_s - seen_s < COUNTED_FOR_S:
                return
            del self._seen_s[user_id]
        self._halvings = 0

    def _is_kept(self, user_id: UserId) -> bool:
        if not self._halvings:
            return True
        digest = int.from_bytes(blake2b(user_id.encode(), digest_size=8).digest())
        return digest % (1 << self._halvings) == 0

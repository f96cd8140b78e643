"""Which of a client's addresses gets its media (RFC 8445 seen from an ICE-lite end)."""

from typing import Final

from .addresses import Address

SILENCE_S: Final = 5.0  # of the selected address, before any other may take over
CONSENT_S: Final = 30.0  # without an authenticated request, the session ends
# Browsers ask every 2.5 to 6 s (RFC 7675 5.1): who is silent longer after somebody,
# perhaps not they, said farewell in their name, is gone.
DOUBT_S: Final = 7.0


class MediaPath:
    """
    The selected address of one session.

    Phones keep checking a backup path, and some agents check without the flag, so an
    authenticated request alone does not move media: USE-CANDIDATE does, or any
    authenticated request once the selected address was silent for `SILENCE_S`.

    Args:
        opened_s: Monotonic time at which the session was opened.
    """

    def __init__(self, opened_s: float) -> None:
        self.selected: Address | None = None
        self.last_request_s = opened_s
        self._selected_heard_s = opened_s
        self._doubted_s = float("-inf")

    def request_received(
        self, source: Address, *, nominates: bool, now_s: float
    ) -> bool:
        """Note an authenticated request; return whether media moved to `source`."""
        self.last_request_s = now_s
        if source == self.selected:
            self._selected_heard_s = now_s
            return False
        silent_s = now_s - self._selected_heard_s
        if self.selected is not None and not nominates and silent_s < SILENCE_S:
            return False
        self.selected = source
        self._selected_heard_s = now_s
        return True

    def media_received(self, source: Address, now_s: float) -> None:
        """Note a packet from `source` that passed SRTP's authentication."""
        if source == self.selected:
            self._selected_heard_s = now_s

    def doubt(self, now_s: float) -> None:
        """Note that the client may have left; repeated, it changes nothing."""
        if not self.is_doubted:
            self._doubted_s = now_s

    @property
    def is_doubted(self) -> bool:
        """Whether the client may have left, and has not been heard since."""
        return self._doubted_s > self.last_request_s

    @property
    def expires_s(self) -> float:
        """When the session ends unless another authenticated request comes."""
        if self.is_doubted:
            return self._doubted_s + DOUBT_S
        return self.last_request_s + CONSENT_S

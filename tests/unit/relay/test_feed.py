"""A relay whose origin is gone: how long it goes on asking."""

from types import SimpleNamespace
from typing import Any

import pytest

from media_worker.relay import feed
from media_worker.relay.feed import Feed, FeedGivenUp
from media_worker.relay.origin import OriginUnreachable
from spaces_contract.relays import RelayReport


class GoneOrigin:
    """Lets every caller wait for a while, and does not answer."""

    def __init__(self, *, waits_s: float) -> None:
        self.now_s = 0.0
        self.asked = 0
        self._waits_s = waits_s

    async def open_feed(self, offer_sdp: str) -> str:
        self.asked += 1
        self.now_s += self._waits_s
        raise OriginUnreachable("TimeoutError")


async def test_a_relay_without_a_feed_gives_up_after_15_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Until then it asks again and again; its listeners had better go elsewhere then.
    """
    origin: Any = GoneOrigin(waits_s=3)
    clock = SimpleNamespace(monotonic=lambda: origin.now_s)
    monkeypatch.setattr(feed, "time", clock)
    for name in ("FIRST_DELAY_S", "LONGEST_DELAY_S"):
        monkeypatch.setattr(feed, name, 0.0)
    under_test = Feed(
        origin,
        on_frame=lambda frame, held_s: None,
        report=lambda: RelayReport(control_url="", listeners=0, capacity=0),
        reported=lambda report: None,
    )

    with pytest.raises(FeedGivenUp):
        await under_test.run()

    assert (origin.asked, origin.now_s) == (5, 15.0)

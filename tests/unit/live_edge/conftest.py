"""An encoder that costs nothing, and no thread, for who asks for it."""

import pytest

from media_worker.live_edge import segment_maker, segment_stream
from tests.broadcasting import AtOnce, SilentAac


@pytest.fixture
def thread(monkeypatch: pytest.MonkeyPatch) -> AtOnce:
    """Encode at once, so that no test waits for a thread, nor for an encoder."""
    thread = AtOnce()
    monkeypatch.setattr(segment_stream, "ThreadPoolExecutor", lambda *_, **__: thread)
    monkeypatch.setattr(segment_maker, "AacEncoder", SilentAac)
    return thread

"""How objects of the live edge are cached and typed."""

import pytest

from infra.local.gateway.live_edge import kind_of


@pytest.mark.parametrize(
    ("name", "content_type", "cache_control"),
    [
        ("room.json", "application/json", "public, max-age=1"),
        ("live.m3u8", "application/vnd.apple.mpegurl", "public, max-age=1"),
        ("17.ts", "video/mp2t", "public, max-age=20, immutable"),
        ("unknown.bin", "application/octet-stream", "no-store"),
    ],
)
def test_each_kind_has_its_cache_life(
    name: str, content_type: str, cache_control: str
) -> None:
    """
    What is rewritten is fresh after a second; a segment lives as long as the window.
    """
    assert kind_of(name) == (content_type, cache_control)

"""The multivariant playlist that each HLS listener has for themselves."""

from typing import Final

from spaces_contract.hls import (
    AUDIO_CODEC,
    BIT_RATE_BPS,
    KEYS_VARIABLE,
    PEAK_BIT_RATE_BPS,
    QUERY_VARIABLE,
)

# RFC 8216bis 8: EXT-X-DEFINE takes version 8.
VERSION: Final = 8


def listener_playlist(*, playlist_url: str, keys_url: str, key_query: str) -> str:
    """
    Return the playlist that leads to the shared one, and says where its keys are.

    Args:
        playlist_url: Of the media playlist, the same for everybody.
        keys_url: What keys' URLs begin with, without a slash at the end.
        key_query: What keys' URLs end with; it is what shows who asks.
    """
    lines = (
        "#EXTM3U",
        f"#EXT-X-VERSION:{VERSION}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-DEFINE:NAME="{KEYS_VARIABLE}",VALUE="{keys_url}"',
        f'#EXT-X-DEFINE:NAME="{QUERY_VARIABLE}",VALUE="{key_query}"',
        f"#EXT-X-STREAM-INF:BANDWIDTH={PEAK_BIT_RATE_BPS},"
        f'AVERAGE-BANDWIDTH={BIT_RATE_BPS},CODECS="{AUDIO_CODEC}"',
        playlist_url,
    )
    return "".join(f"{line}\n" for line in lines)

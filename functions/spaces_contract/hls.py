"""
Listening by HLS: how functions and a Space's worker speak of it.

A worker makes HLS once somebody wants it:

    POST {control_url}/hls/listeners      under a forward whose method is `LISTEN`
        -> 204: the playlist can be loaded; the person is counted.
           503 hls-starting: not yet, repeat.   503 hls-unavailable: not here.
           403 removed
    GET  {control_url}/hls/keys/{number}  under a forward whose method is `FETCH_KEY`
                                          and whose `session_id` is the number
        -> 200: `KEY_BYTES` bytes; the person is counted.
           404 hls-key-not-found: neither the current key nor the one before
           it, nor the next one in the last `KEY_AHEAD_S` before it is in use.
           403 removed

`sub` of both forwards is the listener: a uid, or the pseudonym of an anonymous one.
Whoever has done neither for `COUNTED_FOR_S` is no longer counted.

The shared playlist names its keys
`{$KEYS_VARIABLE}/{epoch}/{number}?{$QUERY_VARIABLE}`; a listener's own multivariant
playlist defines both (RFC 8216bis 4.4.2.3).
"""

from typing import Final

LISTEN: Final = "LISTEN"  # `method` of the forwards
FETCH_KEY: Final = "FETCH_KEY"

KEYS_VARIABLE: Final = "k"
QUERY_VARIABLE: Final = "t"

# A CDN takes the signature of its URLs' query in this cookie too, and that one first.
KEYS_COOKIE: Final = "parley_keys"

KEY_PERIOD_S: Final = 300
# Whoever is removed earlier loses the next key; clients spread over the last 60 s.
KEY_AHEAD_S: Final = 90
KEY_BYTES: Final = 16
COUNTED_FOR_S: Final = 660.0  # two periods, and the jitter of clients

# From so many listeners on, the CDN serves keys: `paths.live_key_object`.
CDN_KEYS_FROM: Final = 10_000

AUDIO_CODEC: Final = "mp4a.40.2"  # AAC-LC, for CODECS of EXT-X-STREAM-INF
BIT_RATE_BPS: Final = 64_000  # of the audio alone; see PEAK_BIT_RATE_BPS
PEAK_BIT_RATE_BPS: Final = 96_000  # of a segment, for BANDWIDTH

WINDOW_S: Final = 20.0  # nothing older is in the playlist

PLAYLIST_TYPE: Final = "application/vnd.apple.mpegurl"
SEGMENT_TYPE: Final = "video/mp2t"
PLAYLIST_CACHE: Final = "public, max-age=1"
SEGMENT_CACHE: Final = "public, max-age=20, immutable"  # its life is the window


def key_number(unix_s: float) -> int:
    """Return the number of the key of what is said at that time."""
    return int(unix_s // KEY_PERIOD_S)

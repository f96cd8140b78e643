"""Constants of the audio path and bounds of what media clients may send."""

from typing import Final

SAMPLE_RATE_HZ: Final = 48_000  # RFC 7587: Opus' RTP clock, whatever it codes
PTIME_MS: Final = 20
BLOCK_SAMPLES: Final = SAMPLE_RATE_HZ * PTIME_MS // 1000  # 960, mono
MAX_SDP_BYTES: Final = 32 * 1024
SDP_CONTENT_TYPE: Final = "application/sdp"

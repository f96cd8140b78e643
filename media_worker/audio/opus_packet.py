"""What an Opus packet says of itself (RFC 6716 section 3), without decoding it."""

from typing import Final

MAX_PACKET_SAMPLES: Final = 5_760  # RFC 6716 3.2.5, R5: 120 ms
MAX_DTX_BYTES: Final = 2  # a packet without speech frames: TOC, perhaps a count
FIRST_CELT_CONFIG: Final = 16  # RFC 6716 table 2: SILK below 12, hybrid below 16
FIRST_HYBRID_CONFIG: Final = 12
SILK_SAMPLES: Final = (480, 960, 1920, 2880)
HYBRID_SAMPLES: Final = (480, 960)
CELT_SAMPLES: Final = (120, 240, 480, 960)
PADDED: Final = 0x40  # RFC 6716 3.2.5: in the frame count of code 3


class MalformedPacket(ValueError):
    """The bytes are no Opus packet."""


def duration_samples(payload: bytes) -> int:
    """
    Return the samples at 48 kHz that `payload` stands for.

    Raises:
        MalformedPacket: it is empty, or longer than an Opus packet may be.
    """
    if not payload:
        raise MalformedPacket("empty")
    known = SAMPLES_BY_TOC[payload[0]]
    if known:
        return known
    samples = _frame_samples(payload[0]) * _frame_count(payload)
    if not 0 < samples <= MAX_PACKET_SAMPLES:
        raise MalformedPacket(f"{samples} samples")
    return samples


def is_dtx(payload: bytes) -> bool:
    """Tell whether the sender has stopped talking (RFC 7587 3.1.3)."""
    return len(payload) <= MAX_DTX_BYTES


def has_fec(payload: bytes) -> bool:
    """Tell whether `payload` also carries the frame before it (RFC 6716 2.1.7)."""
    toc = payload[0]
    if toc >> 3 >= FIRST_CELT_CONFIG:
        return False
    start = _first_frame_start(payload)
    if start >= len(payload):
        return False
    silk_frames = max(1, _frame_samples(toc) // 960)
    flags = payload[start]
    # RFC 6716 4.2.3: one VAD bit per SILK frame, then the LBRR bit; stereo: twice.
    mid = flags >> (7 - silk_frames) & 1
    side = flags >> max(0, 6 - 2 * silk_frames) & 1 if toc & 0x04 else 0
    return bool(mid or side)


def without_padding(payload: bytes) -> bytes:
    """
    Return `payload` with its frames alone; as it is, where its lengths are wrong.

    Padding may hold what was said up to a second before, as DRED does
    (draft-ietf-mlcodec-opus-dred); decoders that do not know it skip it.
    """
    if payload[0] & 3 != 3 or len(payload) < 2 or not payload[1] & PADDED:
        return payload
    start = _lengths_start(payload)
    end = len(payload) - sum(254 if n == 255 else n for n in payload[2:start])
    if end < start:
        return payload
    return bytes([payload[0], payload[1] & ~PADDED]) + payload[start:end]


def _frame_samples(toc: int) -> int:
    config = toc >> 3
    if config >= FIRST_CELT_CONFIG:
        return CELT_SAMPLES[config & 3]
    if config >= FIRST_HYBRID_CONFIG:
        return HYBRID_SAMPLES[config & 1]
    return SILK_SAMPLES[config & 3]


def _frame_count(payload: bytes) -> int:
    code = payload[0] & 3
    if code == 0:
        return 1
    if code < 3:
        return 2
    if len(payload) < 2:
        raise MalformedPacket("no frame count")
    return payload[1] & 0x3F


def _first_frame_start(payload: bytes) -> int:
    """Return the index of the first frame's first byte (RFC 6716 3.2)."""
    code = payload[0] & 3
    if code < 2:
        return 1
    if code == 2:
        return 1 + _length_bytes(payload, 1)
    if len(payload) < 2:
        return len(payload)
    index, count = _lengths_start(payload), payload[1] & 0x3F
    if payload[1] & 0x80:  # VBR: a length for each frame but the last
        for _ in range(count - 1):
            index += _length_bytes(payload, index)
    return index


def _lengths_start(payload: bytes) -> int:
    """Return the index of what follows the padding's length, in a packet of code 3."""
    index = 2
    if payload[1] & PADDED:
        while index < len(payload) and payload[index] == 255:  # 254, and read on
            index += 1
        index += 1
    return index


def _length_bytes(payload: bytes, index: int) -> int:
    return 2 if index < len(payload) and payload[index] >= 252 else 1


# Of packets of one or two frames, which name no count; 0 for all others.
SAMPLES_BY_TOC: Final = tuple(
    _frame_samples(toc) * (1, 2, 2, 0)[toc & 3] for toc in range(256)
)

"""Which protocol a datagram on the shared port speaks (RFC 7983, RFC 5761)."""

from enum import Enum, auto


class Kind(Enum):
    """What a first byte (and RTCP's second) promise; nothing is proven yet."""

    STUN = auto()
    DTLS = auto()
    RTP = auto()
    RTCP = auto()
    JUNK = auto()


def kind_of(first: int, second: int) -> Kind:
    """Classify by the first two bytes."""
    if first <= 3:
        return Kind.STUN
    if 20 <= first <= 63:
        return Kind.DTLS
    if 128 <= first <= 191:
        return Kind.RTCP if 192 <= second <= 223 else Kind.RTP
    return Kind.JUNK

"""The RTCP compounds that sessions get at regular intervals."""

from ..egress.hearers import SentSoFar
from . import rtcp
from .reception import ReceptionStats


def speaker_report(
    stats: ReceptionStats, *, ssrc: int, cname: str, now_s: float
) -> bytes | None:
    """
    Return RR + SDES for who sends, or None before their first packet.

    Args:
        ssrc: Ours, as the reporter.
    """
    block = stats.report(now_s)
    if block is None:
        return None
    return rtcp.receiver_report(ssrc, [block]) + rtcp.source_description(ssrc, cname)


def listener_report(
    sent: SentSoFar, *, ssrc: int, cname: str, rtp_timestamp: int, unix_s: float
) -> bytes:
    """Return SR + SDES for who receives the stream `ssrc`."""
    report = rtcp.sender_report(
        ssrc=ssrc,
        ntp_time=rtcp.ntp_time(unix_s),
        rtp_timestamp=rtp_timestamp,
        packets=sent.packets,
        octets=sent.octets,
    )
    return report + rtcp.source_description(ssrc, cname)

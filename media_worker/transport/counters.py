"""What the endpoint counts, for metrics."""

from dataclasses import dataclass


@dataclass(slots=True)
class EndpointCounters:
    """
    Totals since the start.

    Args:
        junk_datagrams: Of no known kind, or from addresses that proved nothing.
        requests_refused: STUN for nobody, or with the wrong password.
        packets_unauthentic: SRTP or SRTCP that did not open, replays included.
        packets_ignored: Audio sections' packets of other payload types.
        datagrams_crashed: We failed to read; the log says why.
        datagrams_unsent: STUN, DTLS or RTCP for which the kernel had no room.
        handshakes_dropped: DTLS of newcomers while too many came at once.
        packets_resent: To listeners who asked for what they had lost.
        stage_messages_dropped: The client's channel took no more.
        stage_datagrams_dropped: SCTP that came faster than it was read.
        stage_datagrams_refused: SCTP beyond its bounds, or malformed.
    """

    datagrams_received: int = 0
    junk_datagrams: int = 0
    requests_answered: int = 0
    requests_refused: int = 0
    packets_received: int = 0
    packets_unauthentic: int = 0
    packets_ignored: int = 0
    datagrams_crashed: int = 0
    datagrams_unsent: int = 0
    handshakes_dropped: int = 0
    packets_resent: int = 0
    stage_messages_dropped: int = 0
    stage_datagrams_dropped: int = 0
    stage_datagrams_refused: int = 0
    sessions_opened: int = 0
    sessions_connected: int = 0
    sessions_closed: int = 0

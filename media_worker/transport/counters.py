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
    """

    datagrams_received: int = 0
    junk_datagrams: int = 0
    requests_answered: int = 0
    requests_refused: int = 0
    packets_received: int = 0
    packets_unauthentic: int = 0
    packets_ignored: int = 0
    sessions_opened: int = 0
    sessions_connected: int = 0
    sessions_closed: int = 0

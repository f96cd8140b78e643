"""An hour on the wrong clock, simulated: too long for the unit tests."""

import pytest

from tests.network import PTIME_S, Network, counting


@pytest.mark.parametrize("ppm", [-200, 200])
def test_an_hour_of_clock_drift_changes_nothing(ppm: int) -> None:
    """
    A sender 200 ppm off, for an hour: delay stays within 20 ms of its start, and
    nothing is dropped.
    """
    playout, decoder = counting()
    network = Network(rate=1 + ppm / 1e6)
    hour = round(3_600 / PTIME_S)

    network.run(playout, network.arrivals(hour))

    start_s = network.delays_s[0]
    assert max(abs(delay_s - start_s) for delay_s in network.delays_s) <= 0.020
    assert decoder.decoded == hour
    assert playout.buffer.counts.skipped == 0

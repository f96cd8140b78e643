"""A crowd at the door: one step a turn of the loop, bounded, sent again in time."""

import asyncio

from media_worker.transport.counters import EndpointCounters
from media_worker.transport.handshakes import MAX_WAITING, Handshakes


class Guest:
    """Counts the steps of a handshake that never ends by itself."""

    def __init__(self, timeout_s: float | None = None) -> None:
        self.datagrams: list[bytes] = []
        self.timeouts = 0
        self.dtls_timeout_s = timeout_s

    def dtls_received(self, datagram: bytes) -> None:
        self.datagrams.append(datagram)

    def dtls_timed_out(self) -> None:
        self.timeouts += 1
        self.dtls_timeout_s = None


async def test_other_work_gets_its_turn_between_two_steps() -> None:
    """
    Of 100 datagrams that wait, one is served each time that the loop goes round.
    """
    handshakes = Handshakes(asyncio.get_running_loop(), EndpointCounters())
    guest = Guest()
    for _ in range(100):
        handshakes.take(guest, b"hello")

    served = []
    for _ in range(100):
        await asyncio.sleep(0)
        served.append(len(guest.datagrams))

    assert served == list(range(1, 101))


async def test_datagrams_of_one_guest_stay_in_order() -> None:
    """
    What waits is served first come, first served.
    """
    handshakes = Handshakes(asyncio.get_running_loop(), EndpointCounters())
    guest = Guest()
    for number in range(10):
        handshakes.take(guest, bytes([number]))

    for _ in range(10):
        await asyncio.sleep(0)

    assert guest.datagrams == [bytes([number]) for number in range(10)]


async def test_the_queue_is_bounded_and_counts_what_it_drops() -> None:
    """
    The newest datagrams are dropped; their senders send them again.
    """
    counters, guest = EndpointCounters(), Guest()
    handshakes = Handshakes(asyncio.get_running_loop(), counters)
    for _ in range(MAX_WAITING + 3):
        handshakes.take(guest, b"hello")

    assert len(handshakes) == MAX_WAITING
    assert counters.handshakes_dropped == 3
    handshakes.close()


async def test_an_unanswered_flight_is_sent_again() -> None:
    """
    After the time that the association names, and no more once it names none.
    """
    handshakes = Handshakes(asyncio.get_running_loop(), EndpointCounters())
    guest = Guest(0.0)
    handshakes.take(guest, b"hello")

    for _ in range(5):
        await asyncio.sleep(0)

    assert guest.timeouts == 1


async def test_who_left_is_sent_nothing_more() -> None:
    """
    Forgetting a guest stops their clock.
    """
    handshakes = Handshakes(asyncio.get_running_loop(), EndpointCounters())
    guest = Guest(0.0)
    handshakes.take(guest, b"hello")
    await asyncio.sleep(0)
    handshakes.forget(guest)
    for _ in range(5):
        await asyncio.sleep(0)

    assert guest.timeouts == 0

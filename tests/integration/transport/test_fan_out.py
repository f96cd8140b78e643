"""The fan-out over real sockets: blocks, slices, and a kernel that takes no more."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import pytest
from pylibsrtp import Policy, Session

from media_worker.audio.frames import EncodedFrame
from media_worker.egress import libc
from media_worker.egress.fan_out import SLICE_ROWS, FanOut
from media_worker.egress.hearers import Hearer
from media_worker.egress.pacing import ROWS_AT_A_STRETCH, PacedFanOut
from media_worker.egress.packet_block import BLOCK_ROWS, FEW_ROWS
from media_worker.egress.sealing import is_available
from media_worker.egress.srtp import SrtpHandle
from media_worker.transport.addresses import Address, address
from media_worker.transport.srtp_keys import aead_keys

KEY = bytes(range(44))
PROFILE = Policy.SRTP_PROFILE_AEAD_AES_256_GCM

needs_sealing = pytest.mark.skipif(
    not is_available(),
    reason="no AES instructions, or no libsodium: pip install pynacl",
)


def a_frame(index: int = 0) -> EncodedFrame:
    """Return a small frame, so that hundreds fit a socket's buffer."""
    return EncodedFrame(
        payload=b"opus", timestamp=index * 960, duration_samples=960, csrcs=(7,)
    )


def an_end(direction: int, key: bytes = KEY) -> Session:
    """Return one end of an SRTP session."""
    return Session(Policy(key=key, ssrc_type=direction, srtp_profile=PROFILE))


class Audience:
    """Hearers that all live behind one socket."""

    def __init__(self, fan_out: FanOut, sink: socket.socket) -> None:
        self.fan_out = fan_out
        self.sink = sink
        self.address: Address = address(*sink.getsockname())

    def join(
        self, source: str = "full", *, sealed: bool = False, key: bytes = KEY
    ) -> Hearer:
        """Add one hearer, whose packets need libsrtp or not."""
        hearer = Hearer(
            srtp=SrtpHandle(an_end(Policy.SSRC_ANY_OUTBOUND, key)),
            address=self.address,
            payload_type=111,
            level_extension_id=0,
            source=source,
            aead=aead_keys(key) if sealed else None,
        )
        self.fan_out.add(hearer)
        return hearer

    def received(self) -> list[bytes]:
        """Return the datagrams that have come."""
        datagrams = []
        with contextlib.suppress(BlockingIOError):
            while True:
                datagrams.append(self.sink.recv(2_048))
        return datagrams

    def rest(self) -> int:
        """Send what is left of the tick; return how many datagrams came."""
        count = 0
        while self.fan_out.step():
            count += len(self.received())  # a socket's buffer holds a slice
        return count


@pytest.fixture
def audience() -> Iterator[Audience]:
    """A fan-out from one loopback socket to another."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as source,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
    ):
        for each in (source, sink):
            each.setblocking(False)
            each.bind(("127.0.0.1", 0))
        yield Audience(FanOut(source.fileno(), name_bytes=16, ssrc=5), sink)


def test_every_hearer_gets_one_packet_of_their_own(audience: Audience) -> None:
    """
    Across blocks, each hearer's packet opens with their key, sequence numbers differ.
    """
    count = BLOCK_ROWS + 20
    for _ in range(count):
        audience.join()
    audience.fan_out.begin({"full": a_frame()})
    datagrams = []
    while audience.fan_out.step():
        datagrams += audience.received()

    receiver = an_end(Policy.SSRC_ANY_INBOUND)
    assert receiver.unprotect(datagrams[0]).endswith(b"opus")
    assert len(datagrams) == count == audience.fan_out.counters.packets_sent
    assert len({datagram[2:4] for datagram in datagrams}) > count / 2


@needs_sealing
@pytest.mark.parametrize("count", [FEW_ROWS, BLOCK_ROWS + 1, BLOCK_ROWS + FEW_ROWS])
def test_every_packet_is_sealed_with_its_hearers_own_keys(
    audience: Audience, count: int
) -> None:
    """
    Also those of the few who are left over when all blocks are full.
    """
    keys = [number.to_bytes(2) + KEY[2:] for number in range(count)]
    for key in keys:
        audience.join(sealed=True, key=key)
    datagrams: list[bytes] = []

    for index in range(2):
        audience.fan_out.begin({"full": a_frame(index)})
        while audience.fan_out.step():
            datagrams += audience.received()

    for key, datagram in zip(2 * keys, datagrams, strict=True):
        receiver = an_end(Policy.SSRC_ANY_INBOUND, key)
        assert receiver.unprotect(datagram).endswith(b"opus")


@needs_sealing
def test_sealed_and_other_hearers_share_a_tick(audience: Audience) -> None:
    """
    Whoever negotiated another profile hears the same, by libsrtp.
    """
    hearers = [audience.join(sealed=index % 2 == 0) for index in range(10)]
    datagrams: list[bytes] = []

    for index in range(3):
        audience.fan_out.begin({"full": a_frame(index)})
        while audience.fan_out.step():
            datagrams += audience.received()

    for datagram in datagrams:  # each hearer has their own numbers, all one key
        receiver = an_end(Policy.SSRC_ANY_INBOUND)
        assert receiver.unprotect(datagram).endswith(b"opus")
    assert len(datagrams) == 30
    assert [audience.fan_out.sent(hearer).packets for hearer in hearers] == [3] * 10


def test_what_few_hear_is_sent_by_one_call(audience: Audience) -> None:
    """
    Two sources of a small room share a block; each hearer gets their own source.
    """
    for source in ("full", "own", "full"):
        audience.join(source)
    audience.fan_out.begin({"full": a_frame(), "own": a_frame(7)})

    assert audience.fan_out.step() == 3
    assert audience.fan_out.is_sent
    timestamps = [int.from_bytes(data[4:8]) for data in audience.received()]
    assert timestamps == [7 * 960, 0, 0]


@pytest.mark.parametrize("count", [SLICE_ROWS + 10, BLOCK_ROWS + 10])
def test_changes_wait_for_the_tick_in_progress(audience: Audience, count: int) -> None:
    """
    Whoever leaves, joins or turns between two slices costs nobody else a packet.
    """
    hearers = [audience.join() for _ in range(count)]
    audience.fan_out.begin({"full": a_frame(), "own": a_frame()})
    audience.fan_out.step()
    first = len(audience.received())
    audience.fan_out.remove(hearers[0])
    audience.fan_out.turn(hearers[1], "own")
    audience.join()
    first += audience.rest()
    audience.fan_out.begin({"full": a_frame(1)})
    second = audience.rest()

    assert first == count
    assert second == count - 1
    assert audience.fan_out.sent(hearers[1]).packets == 1
    assert audience.fan_out.sent(hearers[2]).packets == 2
    assert audience.fan_out.sent(hearers[2]).octets == 8


@pytest.mark.parametrize("count", [3, FEW_ROWS + 1])
def test_what_libsrtp_refuses_is_not_sent(audience: Audience, count: int) -> None:
    """
    Nobody gets a packet in the clear; the others get theirs.
    """
    for _ in range(count):
        audience.join()
    other = Policy(
        key=KEY, ssrc_type=Policy.SSRC_SPECIFIC, ssrc_value=1, srtp_profile=PROFILE
    )
    audience.fan_out.add(
        Hearer(
            srtp=SrtpHandle(Session(other)),  # no keys for our stream
            address=audience.address,
            payload_type=111,
            level_extension_id=0,
            source="full",
        )
    )

    for index in range(2):
        audience.fan_out.begin({"full": a_frame(index)})
        assert audience.rest() == count
        counters = audience.fan_out.counters
        assert counters.packets_failed == index + 1


def test_a_full_kernel_buffer_drops_and_counts(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where the kernel takes 3 and then no more, the rest of the block is dropped, and
    its numbers are not used again.
    """
    hearers = [audience.join() for _ in range(10)]
    send_many = libc.send_many
    taken = iter([3])

    def reluctant(descriptor: int, headers: object, start: int, count: int) -> int:
        try:
            return send_many(descriptor, headers, start, next(taken))
        except StopIteration:
            raise BlockingIOError(errno.EAGAIN, "sendmmsg") from None

    monkeypatch.setattr(libc, "send_many", reluctant)
    audience.fan_out.begin({"full": a_frame()})
    audience.rest()

    counters = audience.fan_out.counters
    assert (counters.packets_sent, counters.packets_dropped) == (3, 7)
    assert audience.fan_out.sent(hearers[9]).packets == 1


def test_one_unreachable_hearer_does_not_stop_the_others(audience: Audience) -> None:
    """
    An address to which the kernel cannot send is skipped and counted.
    """
    hearers = [audience.join() for _ in range(5)]
    audience.fan_out.move(hearers[2], address("127.0.0.1", 0))
    audience.fan_out.begin({"full": a_frame()})
    received = audience.rest()

    assert received == 4
    assert audience.fan_out.counters.packets_failed == 1


def test_a_frame_that_fits_no_packet_is_refused(audience: Audience) -> None:
    """
    A frame out of bounds is counted and costs its own source alone.
    """
    audience.join()
    audience.join("own")
    huge = EncodedFrame(payload=bytes(2_000), timestamp=0, duration_samples=960)
    audience.fan_out.begin({"full": huge, "own": a_frame()})
    received = audience.rest()

    assert received == 1
    assert audience.fan_out.counters.frames_refused == 1


async def test_the_loop_gets_its_turn_between_slices(audience: Audience) -> None:
    """
    A tick larger than a stretch is sent in slices; another tick finishes it first.
    """
    count = ROWS_AT_A_STRETCH + 1
    for _ in range(count):
        audience.join()
    paced = PacedFanOut(audience.fan_out, asyncio.get_running_loop())

    paced.send({"full": a_frame()})
    at_once = audience.fan_out.counters.packets_sent
    audience.received()
    await asyncio.sleep(0.01)
    after_a_turn = audience.fan_out.counters.packets_sent
    paced.send({"full": a_frame(1)})
    paced.send({"full": a_frame(2)})
    paced.close()

    assert at_once == count - 1
    assert after_a_turn == count
    assert audience.fan_out.counters.packets_sent == 3 * count - 1

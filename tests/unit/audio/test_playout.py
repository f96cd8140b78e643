"""A speaker's receive path under every kind of network, on a simulated clock."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.jitter_buffer import MAX_PACKETS, JitterBuffer
from media_worker.audio.opus import Decoder, Encoder
from media_worker.audio.opus_packet import has_fec
from media_worker.audio.playout import Playout
from tests.audio import BLOCK, Samples, blocks_of, roughness, similarity, tone, voice
from tests.network import PTIME_S, SILK_20_MS, Network, counting


def test_a_clean_network_loses_and_conceals_nothing() -> None:
    """
    Two hundred packets in, two hundred decoded, delay under 35 ms.
    """
    playout, decoder = counting()
    network = Network()

    network.run(playout, network.arrivals(200))

    assert decoder.decoded == 200
    assert decoder.recovered == 0
    # Only the end is bridged: nobody knows yet that nothing follows.
    assert decoder.concealed <= 6 * BLOCK
    assert max(network.delays_s) < 0.035


def test_each_tick_gives_one_block() -> None:
    """
    Whatever comes, a block has 960 samples, or is silence.
    """
    playout, _ = counting()
    jitter = np.random.default_rng(3).uniform(0, 0.08, 300)
    network = Network(delay_s=lambda n: None if n % 7 == 3 else float(jitter[n]))

    network.run(playout, network.arrivals(300))

    assert {len(block) for block in network.blocks if block is not None} == {BLOCK}


def test_sequence_and_timestamp_wrap_unnoticed() -> None:
    """
    Numbers that start again at zero are the next ones.
    """
    playout, decoder = counting()
    network = Network(first_sequence=0xFFF0, first_timestamp=0xFFFF_F000)

    network.run(playout, network.arrivals(100))

    assert decoder.decoded == 100
    assert playout.buffer.counts.resets == 0


def test_reordered_packets_are_put_in_order() -> None:
    """
    Once the buffer knows that packets overtake each other, none is concealed.
    """
    playout, decoder = counting()
    network = Network(delay_s=lambda n: 0.030 if n % 5 == 0 else 0.0)

    network.run(playout, network.arrivals(500))

    assert decoder.decoded >= 490
    assert playout.buffer.counts.late <= 10


def test_duplicates_are_played_once() -> None:
    """
    A packet that comes twice, at once or later, is decoded once.
    """
    playout, decoder = counting()
    network = Network()
    packets = network.arrivals(100)
    again = [network.packet(n, p.arrival_s + 0.05) for n, p in enumerate(packets)]

    network.run(playout, [*packets, *packets, *again])

    assert decoder.decoded == 100
    assert playout.buffer.counts.duplicate == 200


def test_jitter_raises_the_delay_and_calm_lowers_it() -> None:
    """
    With 50 ms of jitter late packets become rare; afterwards the delay returns.
    """
    jitter = np.random.default_rng(1).uniform(0, 0.050, 1_000)
    playout, _ = counting()
    network = Network(delay_s=lambda n: float(jitter[n]) if 200 < n < 1_000 else 0.0)

    network.run(playout, network.arrivals(2_500))

    assert playout.buffer.counts.late < 0.05 * 800
    assert max(network.delays_s[600:1_000]) > 0.045
    assert max(network.delays_s[-200:]) < 0.035


@pytest.mark.parametrize("ppm", [-1_200, 1_200])
def test_clock_drift_changes_nothing(ppm: int) -> None:
    """
    A sender's clock slips by 0.36 s: delay stays within 25 ms, nothing is dropped.
    """
    playout, decoder = counting()
    network = Network(rate=1 + ppm / 1e6)

    network.run(playout, network.arrivals(15_000))

    assert max(network.delays_s) < 0.035
    assert max(network.delays_s) - min(network.delays_s) <= 0.025
    assert decoder.decoded == 15_000
    assert playout.buffer.counts.skipped == 0


def test_pauses_of_the_sender_are_silence_and_not_loss() -> None:
    """
    DTX: numbers go on without a hole while time jumps; nothing is concealed for it.
    """
    playout, decoder = counting()
    network = Network()
    packets = network.arrivals(50)
    after = [
        ReceivedPacket(
            ssrc=7,
            sequence_number=50 + n,
            timestamp=(150 + n) * BLOCK,
            payload=SILK_20_MS,
            level_dbov=None,
            arrival_s=1.0 + (150 + n) * PTIME_S,
        )
        for n in range(50)
    ]

    network.run(playout, [*packets, *after])

    assert decoder.decoded == 100
    assert playout.buffer.counts.lost == 0
    assert decoder.concealed <= 14 * BLOCK
    assert network.blocks[100] is None


def test_a_dtx_packet_ends_speech_at_once() -> None:
    """
    After a packet that says "quiet", missing packets are not bridged.
    """
    playout, decoder = counting()
    network = Network(payloads=lambda n: b"\x48" if n == 49 else SILK_20_MS)

    network.run(playout, network.arrivals(50))

    assert decoder.concealed < BLOCK


def test_a_new_ssrc_starts_anew() -> None:
    """
    A sender that begins again with other numbers is heard at once.
    """
    playout, decoder = counting()
    network = Network()
    other = [
        ReceivedPacket(
            ssrc=8,
            sequence_number=(40_000 + n) & 0xFFFF,
            timestamp=123_456 + n * BLOCK,
            payload=SILK_20_MS,
            level_dbov=None,
            arrival_s=2.0 + n * PTIME_S,
        )
        for n in range(50)
    ]

    network.run(playout, [*network.arrivals(50), *other])

    assert decoder.decoded >= 97
    assert playout.buffer.counts.resets == 1


@pytest.mark.parametrize("jump", [10 * 48_000, -10 * 48_000, 0x7000_0000])
def test_a_jump_of_timestamps_costs_no_lasting_silence(jump: int) -> None:
    """
    The same stream with another clock: less than 200 ms are lost.
    """
    playout, decoder = counting()
    network = Network()
    packets = [
        packet
        if n < 50
        else ReceivedPacket(
            ssrc=7,
            sequence_number=n,
            timestamp=(n * BLOCK + jump) & 0xFFFF_FFFF,
            payload=SILK_20_MS,
            level_dbov=None,
            arrival_s=packet.arrival_s,
        )
        for n, packet in enumerate(network.arrivals(100))
    ]

    network.run(playout, packets)

    assert decoder.decoded >= 90


def test_a_stalled_network_is_caught_up_with() -> None:
    """
    Two seconds held back and then sent at once do not become two seconds of delay.
    """
    playout, _ = counting()
    network = Network(delay_s=lambda n: max(0.0, (200 - n) * PTIME_S) if n > 100 else 0)

    network.run(playout, network.arrivals(800))

    assert max(network.delays_s) < 0.4
    assert max(network.delays_s[-100:]) < 0.05


def test_the_buffer_is_bounded() -> None:
    """
    A flood of packets from the future keeps no more than its capacity.
    """
    buffer = JitterBuffer()
    network = Network()

    for number in range(1_000):
        buffer.insert(network.packet(number, 1.0))

    assert buffer.counts.received == 1_000
    assert buffer.counts.overflow + MAX_PACKETS + buffer.counts.resets <= 1_000


def coded(source: Samples, *, loss_percent: int) -> list[bytes]:
    """Return `source` as packets that carry FEC for that much loss."""
    with Encoder(bitrate_bps=32_000) as encoder:
        encoder.expect_loss(loss_percent)
        return [encoder.encode(block) for block in blocks_of(source)]


def heard_through(
    source: Samples, delay_s: Callable[[int], float | None], *, loss_percent: int = 20
) -> tuple[Samples, Playout]:
    """Return what is heard of `source` over a network."""
    packets = coded(source, loss_percent=loss_percent)
    playout = Playout(Decoder())
    network = Network(delay_s=delay_s, payloads=lambda n: packets[n])
    network.run(playout, network.arrivals(len(packets)))
    playout.close()
    return network.heard(), playout


def test_random_loss_is_mostly_recovered_by_fec() -> None:
    """
    At 10 % loss, nine in ten packets whose FEC came through are recovered by it.
    """
    lost = np.random.default_rng(5).random(500) < 0.10
    source = voice(10)
    packets = coded(source, loss_percent=20)
    recoverable = sum(
        bool(lost[n]) and not lost[n + 1] and has_fec(packets[n + 1])
        for n in range(499)
    )

    heard, playout = heard_through(source, lambda n: None if lost[n] else 0.0)

    assert recoverable > 25
    assert playout.buffer.counts.recovered >= 0.9 * recoverable
    assert similarity(source, heard) > 0.9


def test_loss_makes_no_clicks() -> None:
    """
    A tone with one packet in ten missing jumps nowhere much more than itself.
    """
    source = tone(450, amplitude=8_000, seconds=5)

    heard, _ = heard_through(source, lambda n: None if n % 10 == 9 else 0.0)

    assert roughness(heard) < 3 * roughness(source)


def test_time_scaling_makes_no_clicks() -> None:
    """
    While the delay grows and shrinks with the jitter, a voice has no click.
    """
    source = voice(12)
    jitter = np.random.default_rng(2).uniform(0, 0.06, 600)

    heard, playout = heard_through(
        source, lambda n: float(jitter[n]) if 100 < n < 300 else 0.0, loss_percent=0
    )

    assert playout.counts.shortened_samples > 0
    assert roughness(heard) < 1.3 * roughness(source)


def test_delay_is_given_back_in_pauses_of_speech() -> None:
    """
    Once the network is calm again it is the pauses that get shorter, not the words.
    """
    word, pause = tone(450, seconds=0.4), np.zeros(9_600, np.int16)
    source = np.concatenate([word, pause] * 18)
    jitter = np.random.default_rng(4).uniform(0, 0.06, 150)

    heard, playout = heard_through(
        source, lambda n: float(jitter[n]) if n < 150 else 0.0, loss_percent=0
    )

    sounding = np.flatnonzero(np.abs(heard.astype(int)) > 2_000)
    gaps = np.flatnonzero(np.diff(sounding) > 4_800)
    begins, ends = sounding[[0, *(gaps + 1)]], sounding[[*gaps, -1]]
    assert playout.counts.shortened_samples > 960
    assert np.abs(ends - begins - word.size).max() < 48


def test_mute_fades_and_then_nothing_is_heard() -> None:
    """
    The last block fades to zero within 5 ms; unmuting starts from zero again.
    """
    playout, _ = counting()
    network = Network()
    network.run(playout, network.arrivals(20)[:10])
    playout.insert(network.packet(90, 3.0))
    playout.pull(3.1)

    faded = playout.mute()

    assert faded is not None
    assert faded[0] == 1_000
    assert (faded[240:] == 0).all()
    assert roughness(faded) < 20
    assert playout.pull(3.12) is None


@settings(max_examples=60, deadline=None)
@given(
    delays=st.lists(st.one_of(st.none(), st.floats(0, 0.4)), min_size=1, max_size=150),
    copies=st.integers(1, 3),
)
def test_any_network_is_survived_within_bounds(
    delays: list[float | None], copies: int
) -> None:
    """
    Loss, delay and duplication of any pattern: one block a tick, bounded memory.
    """
    playout, _ = counting()
    network = Network(delay_s=lambda n: delays[n])

    network.run(playout, network.arrivals(len(delays)) * copies)

    assert {len(block) for block in network.blocks if block is not None} <= {BLOCK}
    assert network.blocks[-1] is None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFF_FFFF),
            st.binary(max_size=40),
            st.integers(0, 2),
        ),
        max_size=80,
    )
)
def test_hostile_packets_do_no_harm(
    packets: list[tuple[int, int, bytes, int]],
) -> None:
    """
    Whatever numbers and bytes a speaker sends, the mix gets its block.
    """
    playout = Playout(Decoder())
    now_s = 1.0
    for sequence, timestamp, payload, ssrc in packets:
        playout.insert(
            ReceivedPacket(
                ssrc=ssrc,
                sequence_number=sequence,
                timestamp=timestamp,
                payload=payload,
                level_dbov=None,
                arrival_s=now_s,
            )
        )
        block = playout.pull(now_s)
        now_s += PTIME_S

        assert block is None or block.shape == (BLOCK,)
    playout.close()

"""The consent gate: nothing passes that was not agreed to and heard."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.opus import Decoder, Encoder
from media_worker.recording.gate import ConsentGate, GateFacts
from media_worker.recording.journal import Journal
from media_worker.recording.stem_tap import StemTap
from spaces_contract.recording import GapReason, StemId
from tests.audio import tone
from tests.open_gate import OPEN

PLAIN = bytes([0xF8, 1, 2, 3])  # CELT: cannot carry FEC
# RFC 6716: SILK wide band 20 ms, one frame, mono; the bit after its VAD flag is LBRR.
WITH_FEC = bytes([0x48, 0x40, 2, 3])


def admits(
    gate: ConsentGate, timestamp: int, facts: GateFacts = OPEN, payload: bytes = PLAIN
) -> bool:
    """Offer a packet of the one sender."""
    return gate.admits(
        facts, ssrc=7, timestamp=timestamp & 0xFFFF_FFFF, payload=payload
    )


@pytest.mark.parametrize("fact", asdict(OPEN))
def test_every_single_condition_closes_the_gate(fact: str) -> None:
    """
    Consent, stage, mute, freshness, pause, key: each alone keeps packets out.
    """
    facts = replace(OPEN, **{fact: not getattr(OPEN, fact)})

    assert admits(ConsentGate(), 0)
    assert not admits(ConsentGate(), 0, facts)


@pytest.mark.parametrize(
    ("changes", "gap"),
    [
        ({}, None),
        ({"consented": False}, None),
        ({"unmuted": False}, None),
        ({"on_stage": False}, None),
        ({"fresh": False}, GapReason.CONSENT_UNKNOWN),
        ({"paused": True}, GapReason.PAUSED),
        ({"keyed": False}, GapReason.KEY_UNAVAILABLE),
        ({"fresh": False, "consented": False}, None),
        ({"fresh": False, "paused": True}, GapReason.CONSENT_UNKNOWN),
    ],
)
def test_only_what_should_be_there_is_a_gap(
    changes: dict[str, bool], gap: GapReason | None
) -> None:
    """
    Whoever declined, is muted or off stage leaves no trace, not even a gap.
    """
    assert replace(OPEN, **changes).gap is gap


def test_fec_of_what_came_before_stays_out() -> None:
    """
    After each opening, a first packet that carries the frame before is dropped.
    """
    gate = ConsentGate()

    first = admits(gate, 0, payload=WITH_FEC)
    second = admits(gate, 960, payload=WITH_FEC)
    admits(gate, 1920, replace(OPEN, unmuted=False))
    again = admits(gate, 2880, payload=WITH_FEC)

    assert (first, second, again) == (False, True, False)


def test_a_late_packet_from_before_the_opening_stays_out() -> None:
    """
    What was said before consent does not come in by a detour through the network.
    """
    gate = ConsentGate()
    admits(gate, 96_000)

    assert not admits(gate, 96_000 - 960)
    assert admits(gate, 96_000 + 960)


def test_timestamps_wrap_and_run_for_days() -> None:
    """
    A sender whose timestamps wrap, and who talks for a day, is heard throughout.
    """
    gate, start, step = ConsentGate(), 0xFFFF_0000, 48_000 * 60

    assert all(admits(gate, start + minute * step) for minute in range(24 * 60))


def test_another_stream_is_another_opening() -> None:
    """
    A sender who begins anew, by SSRC or by timeline, is let in without their past.
    """
    gate = ConsentGate()
    admits(gate, 1 << 30)

    jumped = admits(gate, 0, payload=WITH_FEC)
    after = admits(gate, 960, payload=WITH_FEC)
    other = gate.admits(OPEN, ssrc=8, timestamp=0, payload=WITH_FEC)

    assert (jumped, after, other) == (False, True, False)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.booleans(),
            st.booleans(),
            st.booleans(),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_whatever_passes_was_said_while_open(
    offers: list[tuple[int, bool, bool, bool, bool]],
) -> None:
    """
    Over any order, mute, consent and freshness: nothing older than the opening passes.
    """
    gate, opened = ConsentGate(), None
    for number, consented, unmuted, fresh, fec in offers:
        facts = replace(OPEN, consented=consented, unmuted=unmuted, fresh=fresh)
        passed = admits(gate, number * 960, facts, WITH_FEC if fec else PLAIN)
        if not facts.is_open:
            opened = None
            assert not passed
        elif opened is None:
            opened = number
            assert passed is not fec
        else:
            assert passed is (number >= opened)


def test_no_second_of_the_past_comes_in_a_packets_padding() -> None:
    """
    A client may put up to a second of what was said before into padding (DRED), be it
    from before consent: all of the sound in a packet is kept, and none of that.
    """
    with Encoder() as encoder, Decoder() as one, Decoder() as other:
        payload = encoder.encode(np.array(tone(450, seconds=0.02)))
        toc, past = bytes([payload[0] | 3]), b"\xfd" + bytes(range(1, 254))
        padded = toc + b"\x41" + bytes([255, 0]) + payload[1:] + past
        tap, journal = StemTap(StemId("stem")), Journal(epoch=1, opened=0, alive=0)
        packet = ReceivedPacket(
            ssrc=7,
            sequence_number=1,
            timestamp=0,
            payload=padded,
            level_dbov=None,
            arrival_s=0.0,
        )
        tap.take(packet, 0, facts=OPEN, journal=journal)
        ((kept, _),) = tap.ready(1)

        assert past[:8] not in kept.payload
        assert np.array_equal(one.decode(kept.payload), other.decode(payload))

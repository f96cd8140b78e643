"""Packets as the fan-out stamps them, against aiortc's reading and libsrtp's keys."""

import numpy as np
import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st
from pylibsrtp import Policy, Session

from media_worker.audio.frames import EncodedFrame
from media_worker.egress.hearers import (
    FIRST_SEQUENCES,
    Hearer,
    HearerGroup,
    SentSoFar,
)
from media_worker.egress.packet_block import FEW_ROWS, PacketBlock
from media_worker.egress.packet_head import MARKER, level_element_at, shared_head
from media_worker.egress.sealing import TAG_BYTES, AeadKeys, is_available
from media_worker.egress.srtp import SrtpBuffer, SrtpHandle
from media_worker.transport.addresses import address
from media_worker.transport.rtp import audio_level, parse_rtp
from media_worker.transport.srtp_keys import aead_keys

SSRC = 0xC0FFEE
PROFILES = (
    (Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 44),
    (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 28),
    (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 30),
)


def a_frame(**values: object) -> EncodedFrame:
    """Return a 20 ms frame in which two people are heard."""
    fields: dict[str, object] = {
        "payload": bytes(range(80)),
        "timestamp": 2**32 - 960,
        "duration_samples": 960,
        "csrcs": (7, 8),
        "levels_dbov": (20, 127),
    }
    return EncodedFrame(**(fields | values))  # type: ignore[arg-type]  # as given


def shared_packet(frame: EncodedFrame, *, with_levels: bool) -> bytes:
    """Return what all hearers share, with the payload behind it."""
    return shared_head(frame, ssrc=SSRC, with_levels=with_levels) + frame.payload


def srtp(profile: int, key_bytes: int, *, inbound: bool = False) -> Session:
    """Return one end of a session with a key known to both ends."""
    direction = Policy.SSRC_ANY_INBOUND if inbound else Policy.SSRC_ANY_OUTBOUND
    key = bytes(range(key_bytes))
    return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profile))


def a_hearer(
    session: Session | None = None, *, payload_type: int = 111, level_id: int = 0
) -> Hearer:
    """Return a hearer on 198.51.100.7."""
    return Hearer(
        srtp=SrtpHandle(session or srtp(*PROFILES[0])),
        address=address("198.51.100.7", 40_000),
        payload_type=payload_type,
        level_extension_id=level_id,
        source="full",
    )


def stamped(
    group: HearerGroup, frame: EncodedFrame, *, with_levels: bool = False
) -> list[bytes]:
    """Return the plain packet of each hearer."""
    shared = shared_packet(frame, with_levels=with_levels)
    level_at = level_element_at(frame) if with_levels and frame.levels_dbov else None
    block = PacketBlock(16)
    block.stamp(group, 0, len(group), shared, level_at)
    return [bytes(row[: len(shared)]) for row in block.packets[: len(group)]]


@pytest.mark.parametrize("csrcs", [(), (7,), (7, 8), tuple(range(1, 16))])
def test_a_packet_is_what_aiortc_would_write(csrcs: tuple[int, ...]) -> None:
    """
    Without levels, the bytes equal those of a reference implementation.
    """
    group = HearerGroup(16)
    group.add(a_hearer(payload_type=109))
    group.sequences[0] = 65_535
    frame = a_frame(csrcs=csrcs, levels_dbov=())

    (packet,) = stamped(group, frame)

    reference = RtpPacket(
        payload_type=109, marker=1, sequence_number=65_535, timestamp=2**32 - 960
    )
    reference.ssrc, reference.csrc = SSRC, list(csrcs)
    reference.payload = frame.payload
    assert packet == reference.serialize()


@pytest.mark.parametrize("count", [1, 2, 3, 4, 15])
def test_levels_are_sent_under_each_hearers_id(count: int) -> None:
    """
    RFC 6465: one level for each CSRC, in one element whose id is the hearer's own.
    """
    group = HearerGroup(16)
    for level_id in (1, 14):
        group.add(a_hearer(level_id=level_id))
    levels = tuple(range(100, 100 + count))
    frame = a_frame(csrcs=tuple(range(count)), levels_dbov=levels)

    packets = [parse_rtp(data) for data in stamped(group, frame, with_levels=True)]

    for packet, level_id in zip(packets, (1, 14), strict=True):
        assert packet is not None
        assert packet.payload == frame.payload
        element = packet.extension_data[: 1 + count]
        assert element == bytes([level_id << 4 | (count - 1), *levels])
        assert audio_level(packet, level_id) == 100


def test_few_are_stamped_as_many_are() -> None:
    """
    The loop for small rooms writes what numpy writes for large ones, row by row.
    """
    few, many = HearerGroup(16), HearerGroup(16)
    for number in range(FEW_ROWS + 1):
        for group in (few, many):
            group.add(a_hearer(payload_type=number, level_id=1 + number % 14))
    few.sequences[3] = 65_535
    many.sequences[:] = few.sequences
    shared = shared_packet(a_frame(), with_levels=True)
    block = PacketBlock(16)

    for _ in range(2):
        packets = stamped(many, a_frame(), with_levels=True)
        for row, packet in enumerate(packets):
            block.stamp(few, row, 1, shared, level_element_at(a_frame()))
            assert bytes(block.packets[0, : len(shared)]) == packet
    assert few.sequences.tolist() == many.sequences.tolist()


def test_packets_that_never_came_leave_their_numbers_out() -> None:
    """
    A relay's hearers learn of a loss before it as of one behind it.
    """
    group = HearerGroup(16)
    for _ in range(3):
        group.add(a_hearer())
    group.sequences[:3] = [10, 20, 65_535]

    group.skip(2)

    packets = [parse_rtp(data) for data in stamped(group, a_frame())]
    assert [packet and packet.sequence_number for packet in packets] == [12, 22, 1]


def test_sequence_numbers_begin_low_and_wrap() -> None:
    """
    Each hearer's numbers begin below 2^15, grow by one a packet, and wrap; the marker
    stands on the first alone.
    """
    group = HearerGroup(16)
    for _ in range(40):
        group.add(a_hearer())
    assert all(group.sequences[:40] < FIRST_SEQUENCES)
    assert len(set(group.sequences[:40].tolist())) > 1
    group.sequences[0] = 65_534

    ticks = [parse_rtp(stamped(group, a_frame())[0]) for _ in range(4)]

    assert [p and p.sequence_number for p in ticks] == [65_534, 65_535, 0, 1]
    assert [p and p.marker for p in ticks] == [True, False, False, False]


@pytest.mark.parametrize(("profile", "key_bytes"), PROFILES)
def test_what_is_protected_in_place_opens_at_the_other_end(
    profile: int, key_bytes: int
) -> None:
    """
    For every profile, in-place encryption equals pylibsrtp's own, through a wrap of
    the sequence number.
    """
    group = HearerGroup(16)
    group.add(a_hearer(srtp(profile, key_bytes)))
    receiver = srtp(profile, key_bytes, inbound=True)
    buffer = SrtpBuffer(1, 512)

    for sequence in range(32_000, 70_000, 1_700):
        group.sequences[0] = sequence & 0xFFFF
        (plain,) = stamped(group, a_frame())
        buffer.memory[: len(plain)] = plain
        lengths = np.frombuffer(buffer.lengths, np.int32)
        lengths[0] = len(plain)

        assert buffer.protect(group.contexts) == []
        assert receiver.unprotect(buffer.read(0, int(lengths[0]))) == plain


needs_sealing = pytest.mark.skipif(
    not is_available(),
    reason="no AES instructions, or no libsodium: pip install pynacl",
)


def sealed(group: HearerGroup, block: PacketBlock, frame: EncodedFrame) -> bytes:
    """Return the first hearer's packet as it would be sent."""
    head = shared_head(frame, ssrc=SSRC, with_levels=True)
    count, level_at = len(group), level_element_at(frame)
    if count <= FEW_ROWS:
        block.write_few(group, 0, range(count), head, frame.payload, level_at)
    else:
        block.stamp(group, 0, count, head, level_at)
        assert block.encrypt(group, 0, count, frame.payload) == []
    size = len(head) + len(frame.payload) + TAG_BYTES
    return bytes(block.packets[0][:size])


@needs_sealing
@pytest.mark.parametrize("hearers", [1, FEW_ROWS + 1])
def test_a_sealed_packet_is_what_libsrtp_would_have_sent(hearers: int) -> None:
    """
    Byte by byte, whatever the header's size, for few and for many.
    """
    profile, key_bytes = PROFILES[0]
    reference = srtp(profile, key_bytes)
    receiver = srtp(profile, key_bytes, inbound=True)
    group, block = HearerGroup(16, sealed=True), PacketBlock(16)
    for _ in range(hearers):
        hearer = a_hearer(level_id=3)
        hearer.aead = aead_keys(bytes(range(key_bytes)))
        group.add(hearer)

    for count in range(1, 16):
        frame = a_frame(csrcs=tuple(range(count)), levels_dbov=tuple(range(count)))
        packet = sealed(group, block, frame)
        plain = receiver.unprotect(packet)
        assert plain.endswith(frame.payload)
        assert reference.protect(plain) == packet


@needs_sealing
def test_each_hearer_of_a_later_block_is_sealed_with_their_own_keys() -> None:
    """
    Rows of the block and of the group differ, once a group fills more than one block.
    """
    profile, key_bytes = PROFILES[0]
    group, block, start, count = HearerGroup(16, sealed=True), PacketBlock(16), 5, 40
    masters = [bytes([row, *range(1, key_bytes)]) for row in range(start + count)]
    for master in masters:
        hearer = a_hearer()
        hearer.aead = aead_keys(master)
        group.add(hearer)

    frame = a_frame()
    head = shared_head(frame, ssrc=SSRC, with_levels=False)
    block.stamp(group, start, count, head, None)
    block.encrypt(group, start, count, frame.payload)

    for row, master in enumerate(masters[start:]):
        policy = Policy(
            key=master, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile
        )
        plain = parse_rtp(Session(policy).unprotect(block.packet(row)))
        assert plain is not None
        assert plain.payload == frame.payload
        sequence = int(group.sequences[start + row]) - 1
        assert plain.sequence_number == sequence & 0xFFFF


@needs_sealing
@pytest.mark.parametrize("hearers", [3, FEW_ROWS + 1])
def test_sealing_goes_on_through_a_wrap_of_the_sequence_number(hearers: int) -> None:
    """
    The receiver's rollover counter grows (RFC 3711 3.3.1), and so does ours.
    """
    profile, key_bytes = PROFILES[0]
    receiver = srtp(profile, key_bytes, inbound=True)
    group, block = HearerGroup(16, sealed=True), PacketBlock(16)
    for _ in range(hearers):
        hearer = a_hearer()
        hearer.aead = aead_keys(bytes(range(key_bytes)))
        group.add(hearer)

    for index in range(32_000, 140_000, 1_700):
        group.sequences[0] = index
        plain = parse_rtp(receiver.unprotect(sealed(group, block, a_frame())))
        assert plain is not None
        assert plain.sequence_number == index & 0xFFFF


def test_an_unauthentic_packet_does_not_open() -> None:
    """
    A changed bit, and the same packet twice, are refused.
    """
    sender = srtp(*PROFILES[0])
    receiver = SrtpHandle(srtp(*PROFILES[0], inbound=True))
    plain = shared_packet(a_frame(), with_levels=False)
    cipher = sender.protect(plain)
    buffer = SrtpBuffer(1, 512)

    def opened(data: bytes) -> bytes | None:
        buffer.memory[: len(data)] = data
        return buffer.unprotect(0, len(data), receiver)

    assert opened(cipher[:-1] + bytes([cipher[-1] ^ 1])) is None
    assert opened(cipher) == plain
    assert opened(cipher) is None


@pytest.mark.parametrize(
    "values",
    [
        {"csrcs": tuple(range(16)), "levels_dbov": ()},
        {"levels_dbov": (1,)},
        {"payload": b""},
        {"payload": bytes(1_201)},
    ],
)
def test_frames_that_do_not_fit_a_packet_are_refused(values: dict[str, object]) -> None:
    """
    Too many CSRCs, levels that do not match them, and payloads out of bounds raise.
    """
    with pytest.raises(ValueError, match=r"."):
        shared_head(a_frame(**values), ssrc=SSRC, with_levels=True)


def test_what_was_sent_is_counted_across_groups() -> None:
    """
    A sender report counts a stream's packets and bytes, whichever source it hears.
    """
    groups = (HearerGroup(16), HearerGroup(16))
    hearer = a_hearer()
    groups[0].note_sent(1_000)
    groups[0].add(hearer)
    groups[0].note_sent(80)
    groups[1].adopt(hearer)
    groups[1].note_sent(20)
    groups[1].note_sent(20)

    assert groups[1].sent(hearer) == SentSoFar(packets=3, octets=120)


@given(st.lists(st.tuples(st.sampled_from("jlt"), st.integers(0, 30)), max_size=60))
def test_streams_survive_any_order_of_joins_and_leaves(
    steps: list[tuple[str, int]],
) -> None:
    """
    Whoever joins, leaves or turns, everybody else's numbers and keys stay theirs.
    """
    groups = (HearerGroup(16, sealed=True), HearerGroup(16, sealed=True))
    present: dict[int, tuple[Hearer, int]] = {}
    handle = srtp(*PROFILES[0])
    joined = 0
    for action, index in steps:
        if action == "j":
            hearer = a_hearer(handle, payload_type=len(present) % 128)
            hearer.aead = AeadKeys(bytes([joined] * 32), bytes([joined] * 12))
            joined += 1
            groups[0].add(hearer)
            present[id(hearer)] = (hearer, int(groups[0].sequences[hearer.row]))
        elif present:
            key = list(present)[index % len(present)]
            hearer, _ = present[key]
            group = hearer.group
            assert group is not None
            if action == "l":
                group.remove(hearer)
                del present[key]
            else:
                groups[group is groups[0]].adopt(hearer)

    assert sum(len(group) for group in groups) == len(present)
    for hearer, sequence in present.values():
        assert hearer.group is not None
        assert hearer.group.members[hearer.row] is hearer
        assert hearer.group.contexts[hearer.row] == hearer.srtp.context
        assert hearer.group.sequences[hearer.row] == sequence
        assert hearer.group.types[hearer.row] == MARKER | hearer.payload_type
        assert hearer.aead is not None
        secrets, row = hearer.group.secrets, hearer.row
        assert bytes(secrets.keys[row]) == hearer.aead.key
        salt = int(secrets.salt_heads[row]) << 64 | int(secrets.salt_tails[row])
        assert salt == int.from_bytes(hearer.aead.salt)

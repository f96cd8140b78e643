"""RTP as clients send it: aiortc's packets, and what no client should send."""

import pytest
from aiortc.rtcrtpparameters import (
    RTCRtpHeaderExtensionParameters,
    RTCRtpParameters,
)
from aiortc.rtp import (
    HeaderExtensions,
    HeaderExtensionsMap,
    RtpPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from media_worker.transport.negotiation import AUDIO_LEVEL_URI
from media_worker.transport.rtp import audio_level, parse_rtp

LEVEL_ID = 3


def a_packet(**values: object) -> RtpPacket:
    """Return aiortc's packet of 3 payload bytes."""
    packet = RtpPacket(
        payload_type=111, marker=1, sequence_number=65_535, timestamp=2**32 - 1
    )
    packet.ssrc = 0xDEADBEEF
    packet.payload = b"abc"
    for name, value in values.items():
        setattr(packet, name, value)
    return packet


def serialised(packet: RtpPacket) -> bytes:
    """Return the packet's bytes, RFC 6464 levels under `LEVEL_ID`."""
    extensions = HeaderExtensionsMap()
    extension = RTCRtpHeaderExtensionParameters(id=LEVEL_ID, uri=AUDIO_LEVEL_URI)
    extensions.configure(RTCRtpParameters(headerExtensions=[extension]))
    return packet.serialize(extensions)


def test_a_packet_is_read() -> None:
    """
    Every field of the header, past CSRCs and before padding, is as aiortc wrote it.
    """
    data = serialised(a_packet(csrc=[1, 2, 3], padding_size=8))

    packet = parse_rtp(data)

    assert packet is not None
    assert packet.payload_type == 111
    assert packet.marker
    assert packet.sequence_number == 65_535
    assert packet.timestamp == 2**32 - 1
    assert packet.ssrc == 0xDEADBEEF
    assert packet.payload == b"abc"


@pytest.mark.parametrize(("level", "voice"), [(0, True), (127, False), (30, True)])
def test_the_level_is_read(level: int, voice: bool) -> None:
    """
    RFC 6464's level comes without its voice bit, and only under the negotiated id.
    """
    extensions = HeaderExtensions(audio_level=(voice, level))
    packet = parse_rtp(serialised(a_packet(extensions=extensions)))

    assert packet is not None
    assert audio_level(packet, LEVEL_ID) == level
    assert audio_level(packet, LEVEL_ID + 1) is None
    assert audio_level(packet, None) is None


def test_two_byte_extensions_are_read() -> None:
    """
    A level behind an unknown element in two-byte form is found (RFC 8285 4.3).
    """
    elements = bytes([9, 2, 0, 0, 0, LEVEL_ID, 1, 0x80 | 17])
    data = serialised(a_packet())
    head = bytes([data[0] | 0x10]) + data[1:12]

    packet = parse_rtp(head + b"\x10\x00\x00\x02" + elements + b"abc")

    assert packet is not None
    assert packet.payload == b"abc"
    assert audio_level(packet, LEVEL_ID) == 17


@pytest.mark.parametrize(
    "data",
    [
        b"",
        bytes(11),
        bytes(12),  # version 0
        b"\x8f" + bytes(12),  # 15 CSRCs that are not there
        b"\x90" + bytes(12),  # an extension that is cut off
        b"\x90" + bytes(11) + b"\xbe\xde\xff\xff",
        b"\xa0" + bytes(11) + b"\xff",  # more padding than packet
        b"\xa0" + bytes(12),  # no padding
    ],
)
def test_lengths_that_do_not_add_up_are_refused(data: bytes) -> None:
    """
    A header that points past its packet is no packet.
    """
    assert parse_rtp(data) is None


def test_padding_alone_is_an_empty_payload() -> None:
    """
    A probe of padding only is well formed and holds no audio.
    """
    packet = parse_rtp(serialised(a_packet(payload=b"", padding_size=4)))

    assert packet is not None
    assert packet.payload == b""


@given(st.binary(max_size=100), st.integers(0, 255))
def test_no_input_raises(data: bytes, first: int) -> None:
    """
    Any bytes are a packet whose parts lie inside, or none.
    """
    packet = parse_rtp(bytes([first]) + data)

    if packet is not None:
        assert len(packet.payload) <= len(data) - 11
        level = audio_level(packet, 1)
        assert level is None or 0 <= level <= 127

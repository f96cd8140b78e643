"""RTCP that we write, read by aiortc, and the other way round."""

import pytest
from aiortc import rtp as peer
from hypothesis import given
from hypothesis import strategies as st

from media_worker.transport import rtcp


def a_block(**values: int) -> rtcp.ReportBlock:
    """Return a report block with some loss."""
    fields = {
        "ssrc": 1234,
        "fraction_lost": 64,
        "cumulative_lost": -5,
        "highest_sequence": 70_000,
        "jitter": 480,
        "last_sr": 0x12345678,
        "delay_since_last_sr": 65_536,
    }
    return rtcp.ReportBlock(**(fields | values))


def test_a_receiver_report_reads_as_written() -> None:
    """
    aiortc reads our RR, negative loss included, and its SDES beside it.
    """
    compound = rtcp.receiver_report(9, [a_block()]) + rtcp.source_description(9, "me")

    report, description = peer.RtcpPacket.parse(compound)

    assert isinstance(report, peer.RtcpRrPacket)
    assert report.ssrc == 9
    block = report.reports[0]
    assert (block.ssrc, block.fraction_lost, block.packets_lost) == (1234, 64, -5)
    assert (block.highest_sequence, block.jitter) == (70_000, 480)
    assert (block.lsr, block.dlsr) == (0x12345678, 65_536)
    assert isinstance(description, peer.RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"me")]


def test_a_sender_report_reads_as_written() -> None:
    """
    aiortc reads our SR's clocks and counts.
    """
    report = rtcp.sender_report(
        ssrc=7,
        ntp_time=rtcp.ntp_time(0.5),
        rtp_timestamp=2**32 + 1,
        packets=3,
        octets=300,
    )

    (packet,) = peer.RtcpPacket.parse(report)

    assert isinstance(packet, peer.RtcpSrPacket)
    info = packet.sender_info
    assert info.ntp_timestamp == (rtcp.NTP_EPOCH_S << 32) + 2**31
    assert (info.rtp_timestamp, info.packet_count, info.octet_count) == (1, 3, 300)


def test_reports_and_goodbyes_of_clients_are_read() -> None:
    """
    A compound of SR with block, SDES and BYE gives the SR: DTLS tells who leaves.
    """
    info = peer.RtcpSenderInfo(
        ntp_timestamp=5 << 32, rtp_timestamp=6, packet_count=1, octet_count=2
    )
    block = peer.RtcpReceiverInfo(
        ssrc=1,
        fraction_lost=2,
        packets_lost=-3,
        highest_sequence=4,
        jitter=5,
        lsr=6,
        dlsr=7,
    )
    compound = (
        bytes(peer.RtcpSrPacket(ssrc=8, sender_info=info, reports=[block]))
        + rtcp.source_description(8, "x")
        + bytes(peer.RtcpByePacket(sources=[8, 9]))
    )

    (report,) = rtcp.parse_compound(compound)

    assert isinstance(report, rtcp.SenderReport)
    assert (report.ntp_time, report.rtp_timestamp) == (5 << 32, 6)
    assert report.blocks[0] == rtcp.ReportBlock(
        ssrc=1,
        fraction_lost=2,
        cumulative_lost=-3,
        highest_sequence=4,
        jitter=5,
        last_sr=6,
        delay_since_last_sr=7,
    )


def test_what_a_client_misses_is_read() -> None:
    """
    aiortc's NACK gives the numbers that it names, over the wrap too, to a bound.
    """
    lost = [7, 8, 24, 65_530]
    nack = peer.RtcpRtpfbPacket(fmt=1, ssrc=8, media_ssrc=9, lost=lost)

    (read,) = rtcp.parse_compound(bytes(nack))
    (wrapped,) = rtcp.parse_compound(bytes(nack)[:12] + b"\xff\xff\x80\x01" * 3)

    assert isinstance(read, rtcp.Nack)
    assert (read.ssrc, read.missing) == (9, tuple(lost))
    assert isinstance(wrapped, rtcp.Nack)
    assert wrapped.missing == 3 * (65_535, 0, 15)
    many = peer.RtcpRtpfbPacket(
        fmt=1, ssrc=8, media_ssrc=9, lost=list(range(0, 2_000, 20))
    )
    (read,) = rtcp.parse_compound(bytes(many))
    assert isinstance(read, rtcp.Nack)
    assert len(read.missing) == rtcp.MAX_LOST_RUNS


@pytest.mark.parametrize(
    "damaged",
    [
        rtcp.receiver_report(9, [a_block()])[:-1],
        b"\x9f" + rtcp.receiver_report(9, [a_block()])[1:],  # 31 blocks, one there
        b"\x9f\xc8\x00\x00",
        b"\x01\xc8\x00\x00",
        b"\x9f\xcb\x00\x01\x00\x00\x00\x01",
        b"\x81\xcd\x00\x01\x00\x00\x00\x01",  # a NACK of no stream
    ],
)
def test_counts_that_do_not_fit_are_refused(damaged: bytes) -> None:
    """
    A report that claims more than it holds is skipped.
    """
    assert rtcp.parse_compound(damaged) == []


def test_a_compound_is_read_to_a_bound() -> None:
    """
    However many packets a datagram holds, 16 are read.
    """
    report = rtcp.receiver_report(8, [])

    assert len(rtcp.parse_compound(report * 50)) == rtcp.MAX_PACKETS


@given(st.binary(max_size=200))
def test_no_input_raises(data: bytes) -> None:
    """
    Any bytes give some packets or none.
    """
    assert len(rtcp.parse_compound(data)) <= rtcp.MAX_PACKETS
    assert len(rtcp.parse_compound(b"\x81\xc9" + data)) <= rtcp.MAX_PACKETS

"""Stock aiortc peer connections talk and listen through the endpoint."""

import asyncio
import socket
import struct

import numpy as np
import pytest
from google_crc32c import value as crc32c

from media_worker.room.ports import SdpRefused
from media_worker.transport.rounds import Timing
from spaces_contract.control import ControlError
from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind
from tests.media_endpoint import (
    SAMPLE_RATE_HZ,
    TONE_HZ,
    address_of_this_machine,
    aiortc_client,
    playing,
    running_endpoint,
    tone_packets,
    until,
)

LISTENER = "listener-session-1"
SPEAKER = "speaker-session-01"


async def test_a_listener_hears_what_is_sent() -> None:
    """
    A WHEP client decodes the tone that was sent, at its frequency and level.
    """
    async with running_endpoint() as running, aiortc_client(PeerKind.WHEP) as client:
        await client.connect(running, LISTENER)
        async with playing(running.endpoint, tone_packets()):
            await until(lambda: len(client.blocks) >= 60)

    heard = np.concatenate(client.blocks[-25:]).astype(float)
    spectrum = np.abs(np.fft.rfft(heard))
    loudest_hz = np.argmax(spectrum) * SAMPLE_RATE_HZ / len(heard)
    assert loudest_hz == pytest.approx(TONE_HZ, abs=5)
    assert np.sqrt(np.mean(heard**2)) == pytest.approx(8_000 / np.sqrt(2), rel=0.1)


async def test_ipv6_serves_alike() -> None:
    """
    An endpoint on an IPv6 address announces it and fans out to it.
    """
    host = address_of_this_machine(socket.AF_INET6)
    async with (
        running_endpoint(host) as running,
        aiortc_client(PeerKind.WHEP) as client,
    ):
        await client.connect(running, LISTENER)
        async with playing(running.endpoint, tone_packets()):
            await until(lambda: len(client.blocks) >= 10)


async def test_a_speaker_is_heard() -> None:
    """
    A WHIP client's packets arrive in order, with levels, and its loss is reported.
    """
    timing = Timing(first_report_s=0.1, speaker_report_s=0.1)
    async with (
        running_endpoint(timing=timing) as running,
        aiortc_client(PeerKind.WHIP) as client,
    ):
        await client.connect(running, SPEAKER)
        await until(lambda: len(running.events.packets) >= 50)
        (sender,) = client.pc.getSenders()
        kinds: list[str] = []
        async with asyncio.timeout(40):
            while "remote-inbound-rtp" not in kinds:
                await asyncio.sleep(0.05)
                stats = (await sender.getStats()).values()
                kinds = [entry.type for entry in stats]

    packets = [packet for _, packet in running.events.packets]
    numbers = [packet.sequence_number for packet in packets]
    assert {session for session, _ in running.events.packets} == {SPEAKER}
    assert [(n - numbers[0]) % 65_536 for n in numbers] == list(range(len(numbers)))
    assert all(packet.payload for packet in packets)
    assert all(packet.level_dbov is not None for packet in packets)
    assert running.endpoint.counters.packets_unauthentic == 0


async def test_the_stage_channel_goes_round() -> None:
    """
    The channel labelled "stage" carries messages, long ones too; others do not count.
    """
    long = "x" * 10_000
    async with running_endpoint() as running, aiortc_client(PeerKind.WHIP) as client:
        client.open_channel("chat")
        channel = client.open_channel("stage")
        session_id = SessionId(SPEAKER)
        assert not running.endpoint.send_stage_message(session_id, "early")
        await client.connect(running, SPEAKER)
        await until(lambda: SPEAKER in running.events.channels)
        await until(lambda: channel.readyState == "open")
        channel.send("clients have nothing to say here")

        assert running.endpoint.send_stage_message(session_id, "hello")
        assert running.endpoint.send_stage_message(session_id, long)
        await until(lambda: len(client.messages) == 2)

        assert not running.endpoint.send_stage_message(session_id, "x" * 200_000)
        assert running.events.channels == [SPEAKER]
    assert client.messages == ["hello", long]


async def test_nonsense_on_the_channel_costs_itself() -> None:
    """
    SCTP that would hang aiortc or trip it, and a flood of it, neither end the session
    nor stop the stage's messages.
    """
    endless = struct.pack("!BBHHH", 4, 0, 8, 1, 0)  # a parameter of length 0
    short_init = struct.pack("!BBHI", 1, 0, 8, 1)
    async with running_endpoint() as running, aiortc_client(PeerKind.WHIP) as client:
        channel = client.open_channel("stage")
        await client.connect(running, SPEAKER)
        await until(lambda: channel.readyState == "open")
        dtls = client.pc.getSenders()[0].transport
        for chunk in [b"", endless, short_init] * 20:
            head = struct.pack("!HHL", 5_000, 5_000, 0)
            checksum = crc32c(head + bytes(4) + chunk)
            await dtls._send_data(head + struct.pack("<L", checksum) + chunk)

        assert running.endpoint.send_stage_message(SessionId(SPEAKER), "still here")
        await until(lambda: client.messages)
        assert running.events.closed == []


async def test_a_client_that_leaves_is_noticed() -> None:
    """
    A client's close_notify ends the session as LEFT, once.
    """
    async with running_endpoint() as running, aiortc_client(PeerKind.WHEP) as client:
        await client.connect(running, LISTENER)
        await client.pc.close()
        await until(lambda: running.events.closed)

        assert list(running.endpoint.sessions()) == []
        await running.close(LISTENER)
    assert running.events.closed == [(LISTENER, PeerCloseReason.LEFT)]


async def test_a_closed_session_is_told() -> None:
    """
    Closing a session reaches its client as the end of DTLS, and is idempotent.
    """
    async with running_endpoint() as running, aiortc_client(PeerKind.WHIP) as client:
        client.open_channel("stage")
        await client.connect(running, SPEAKER)
        await running.close(SPEAKER)
        await running.close(SPEAKER)

        await until(lambda: client.pc.connectionState == "closed")
    assert running.events.closed == [(SPEAKER, PeerCloseReason.LEFT)]


async def test_a_second_session_replaces_the_first() -> None:
    """
    The earlier one of the same user and kind ends as REPLACED; all others stay.
    """
    async with (
        running_endpoint() as running,
        aiortc_client(PeerKind.WHEP) as first,
        aiortc_client(PeerKind.WHEP) as second,
        aiortc_client(PeerKind.WHEP) as other,
        aiortc_client(PeerKind.WHIP) as talking,
    ):
        await first.connect(running, "first-session-0001")
        await other.connect(running, "other-session-0001", user_id="bo")
        await talking.connect(running, "talking-session-01")
        await second.connect(running, "second-session-001")

        await until(lambda: first.pc.connectionState == "closed")
        open_ids = {info.session_id for info in running.endpoint.sessions()}
    assert open_ids == {
        "other-session-0001",
        "talking-session-01",
        "second-session-001",
    }
    closed = ("first-session-0001", PeerCloseReason.REPLACED)
    assert running.events.closed[0] == closed


async def test_another_certificate_is_refused() -> None:
    """
    A client whose certificate is not the offer's gets no keys: DTLS_FAILED.
    """
    async with running_endpoint() as running, aiortc_client(PeerKind.WHEP) as client:
        offer = await client.offer()
        lines = offer.split("\r\n")
        forged = "a=fingerprint:sha-256 " + ":".join(["00"] * 32)
        changed = [
            forged if line.startswith("a=fingerprint:sha-256") else line
            for line in lines
            if not line.startswith(("a=fingerprint:sha-384", "a=fingerprint:sha-512"))
        ]
        answer = await running.open(
            "\r\n".join(changed), PeerKind.WHEP, session_id=LISTENER
        )
        await client.accept(answer)
        await until(lambda: running.events.closed)
    assert running.events.closed == [(LISTENER, PeerCloseReason.DTLS_FAILED)]
    assert running.events.connected == []


async def test_a_session_that_never_connects_expires() -> None:
    """
    An answered offer whose client never comes is given up as ICE_FAILED.
    """
    timing = Timing(connect_s=0.1)
    async with (
        running_endpoint(timing=timing) as running,
        aiortc_client(PeerKind.WHEP) as client,
    ):
        offer = await client.offer()
        await running.open(offer, PeerKind.WHEP, session_id=LISTENER)
        await until(lambda: running.events.closed)

        assert list(running.endpoint.sessions()) == []
    assert running.events.closed == [(LISTENER, PeerCloseReason.ICE_FAILED)]


async def test_a_full_or_stopping_endpoint_refuses() -> None:
    """
    Beyond `max_sessions`, and once closing, offers are refused by name; closing ends
    every session with its reason and may be repeated.
    """
    async with (
        running_endpoint(max_sessions=1) as running,
        aiortc_client(PeerKind.WHEP) as client,
    ):
        offer = await client.offer()
        await running.open(offer, PeerKind.WHEP, session_id=LISTENER)
        with pytest.raises(SdpRefused) as full:
            await running.open(
                offer, PeerKind.WHEP, session_id="another-session-01", user_id="bo"
            )
        await running.endpoint.aclose(PeerCloseReason.SPACE_ENDED)
        with pytest.raises(SdpRefused) as stopping:
            await running.open(offer, PeerKind.WHEP, session_id="another-session-02")

    assert full.value.code is ControlError.WORKER_FULL
    assert stopping.value.code is ControlError.WORKER_STOPPING
    assert running.events.closed == [(LISTENER, PeerCloseReason.SPACE_ENDED)]

"""Offers of real clients answered, and offers that are refused by name."""

import contextlib
from pathlib import Path
from typing import Final

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from media_worker.room.ports import SdpRefused
from media_worker.transport.negotiation import (
    AUDIO_LEVEL_URI,
    MIXER_LEVEL_URI,
    Negotiated,
    negotiate,
)
from media_worker.transport.sdp_answer import LocalTransport, answer_sdp
from media_worker.transport.sdp_offer import parse_offer
from spaces_contract.control import ControlError
from spaces_contract.media import MAX_SDP_BYTES
from spaces_contract.roles import PeerKind

OFFERS: Final = Path(__file__).parent / "offers"
LOCAL: Final = LocalTransport(
    host="203.0.113.5",
    port=41_000,
    ufrag="ours",
    password="p" * 32,
    fingerprint=":".join(["AB"] * 32),
    ssrc=42,
    cname="room",
)
FINGERPRINT: Final = "a=fingerprint:sha-256 " + ":".join(["0F"] * 32)
SESSION: Final = "v=0\no=- 1 1 IN IP4 0.0.0.0\ns=-\nt=0 0\na=group:BUNDLE 0 1\n"
AUDIO: Final = (
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\na=mid:0\na=ice-ufrag:theirs\na=ice-pwd:"
    + "x" * 24
    + f"\n{FINGERPRINT}\na=setup:actpass\na=rtcp-mux\na=sendrecv\n"
    "a=rtpmap:111 opus/48000/2\na=rtpmap:0 PCMU/8000\n"
)
CHANNEL: Final = (
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\na=mid:1\na=sctp-port:5001\n"
)
VIDEO: Final = "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:1\na=rtpmap:96 VP8/90000\n"


def taken(text: str, kind: PeerKind = PeerKind.WHIP) -> Negotiated:
    """Return what is chosen from an offer."""
    return negotiate(parse_offer(text), kind)


def answered(text: str, kind: PeerKind = PeerKind.WHIP) -> SessionDescription:
    """Return the answer to an offer as aiortc reads it."""
    offer = parse_offer(text)
    answer = answer_sdp(offer, negotiate(offer, kind), LOCAL)
    assert answer.endswith("\r\n")
    return SessionDescription.parse(answer)


def refused(text: str, kind: PeerKind = PeerKind.WHIP) -> ControlError:
    """Return the code with which an offer is refused."""
    with pytest.raises(SdpRefused) as caught:
        taken(text, kind)
    return caught.value.code


@pytest.mark.parametrize(
    ("name", "kind", "payload_type", "level_id", "has_channel"),
    [
        ("chromium_whip", PeerKind.WHIP, 111, 1, True),
        ("chromium_whep", PeerKind.WHEP, 111, None, False),
        ("firefox_whip", PeerKind.WHIP, 109, 1, True),
        ("firefox_whep", PeerKind.WHEP, 109, 2, False),
        ("safari_whip", PeerKind.WHIP, 111, 1, False),
        ("aiortc_whip", PeerKind.WHIP, 96, 2, True),
        ("gstreamer_whip", PeerKind.WHIP, 97, None, False),
    ],
)
def test_offers_of_real_clients(
    name: str,
    kind: PeerKind,
    payload_type: int,
    level_id: int | None,
    has_channel: bool,
) -> None:
    """
    Each client's Opus number, level extension and data channel are found, and the
    answer has its m-lines in order with ours as the lite, passive, single-port side.
    """
    text = (OFFERS / f"{name}.sdp").read_text()

    chosen = taken(text, kind)
    answer = answered(text, kind)

    assert chosen.payload_type == payload_type
    assert chosen.level_extension_id == level_id
    assert (chosen.channel is not None) is has_channel
    assert [m.kind for m in answer.media] == [
        section.kind for section in parse_offer(text).sections
    ]
    audio = next(m for m in answer.media if m.kind == "audio" and m.port)
    assert audio.direction == ("recvonly" if kind is PeerKind.WHIP else "sendonly")
    assert audio.rtp.codecs[0].payloadType == payload_type
    assert audio.ice is not None
    assert audio.ice.iceLite
    assert audio.dtls is not None
    assert audio.dtls.role == "server"
    assert audio.rtcp_mux
    assert [(c.ip, c.port) for c in audio.ice_candidates] == [("203.0.113.5", 41_000)]


def test_other_sections_are_refused_in_place() -> None:
    """
    Video and a second audio keep their place with port 0, outside the bundle.
    """
    second = AUDIO.replace("a=mid:0", "a=mid:2")

    answer = answered(SESSION.replace("0 1", "0 1 2") + AUDIO + VIDEO + second)

    assert [m.port for m in answer.media] == [41_000, 0, 0]
    assert answer.group[0].items == ["0"]


def test_a_channel_before_the_audio_leads_the_bundle() -> None:
    """
    Whichever accepted section leads the bundle has the transport's whole description.
    """
    answer = answered(SESSION + CHANNEL + AUDIO)

    assert answer.group[0].items == ["1", "0"]
    for media in answer.media:
        assert media.ice is not None
        assert media.ice.usernameFragment == "ours"
        assert len(media.ice_candidates) == 1


def test_the_data_channel_is_whip_only() -> None:
    """
    WHIP accepts m=application with its SCTP port; WHEP refuses the section.
    """
    offer = SESSION + AUDIO + CHANNEL

    whip, whep = answered(offer), answered(offer, PeerKind.WHEP)

    assert whip.media[1].sctp_port == 5000
    assert whip.group[0].items == ["0", "1"]
    channel = taken(offer).channel
    assert channel is not None
    assert (channel.sctp_port, channel.max_message_bytes) == (5001, 65_536)
    assert whep.media[1].port == 0


def test_a_section_switched_off_is_not_taken() -> None:
    """
    Port 0 means refused, unless the section is bundle-only.
    """
    off = CHANNEL.replace("application 9", "application 0")

    assert taken(SESSION + AUDIO + off).channel is None
    assert taken(SESSION + AUDIO + off + "a=bundle-only\n").channel is not None


@pytest.mark.parametrize(
    ("kind", "offered", "accepted"),
    [
        (PeerKind.WHIP, AUDIO_LEVEL_URI, True),
        (PeerKind.WHIP, MIXER_LEVEL_URI, False),
        (PeerKind.WHEP, MIXER_LEVEL_URI, True),
        (PeerKind.WHEP, AUDIO_LEVEL_URI, False),
    ],
)
def test_levels_are_taken_only_in_their_direction(
    kind: PeerKind, offered: str, accepted: bool
) -> None:
    """
    RFC 6464 is for who sends, RFC 6465 for who hears a mix; nothing is volunteered.
    """
    answer = answered(SESSION + AUDIO + f"a=extmap:4/sendrecv {offered}\n", kind)

    found = [(e.id, e.uri) for e in answer.media[0].rtp.headerExtensions]
    assert found == ([(4, offered)] if accepted else [])


@pytest.mark.parametrize(
    ("kind", "profile", "feedback", "resends"),
    [
        (PeerKind.WHEP, "SAVPF", "a=rtcp-fb:111 nack\n", True),
        (PeerKind.WHEP, "SAVPF", "a=rtcp-fb:* nack\n", True),
        (PeerKind.WHEP, "SAVPF", "a=rtcp-fb:111 nack pli\n", False),
        (PeerKind.WHEP, "SAVPF", "a=rtcp-fb:9 nack\n", False),
        (PeerKind.WHEP, "SAVPF", "", False),
        (PeerKind.WHEP, "SAVP", "a=rtcp-fb:111 nack\n", False),
        (PeerKind.WHIP, "SAVPF", "a=rtcp-fb:111 nack\n", False),
    ],
)
def test_packets_are_sent_again_only_to_listeners_who_offered_to_ask(
    kind: PeerKind, profile: str, feedback: str, resends: bool
) -> None:
    """
    RFC 4585 NACK of Opus is answered where it is offered for Opus, with feedback.
    """
    audio = AUDIO.replace("SAVPF", profile) + feedback

    assert taken(SESSION + audio, kind).resends is resends
    feedbacks = answered(SESSION + audio, kind).media[0].rtp.codecs[0].rtcpFeedback
    assert [each.type for each in feedbacks] == (["nack"] if resends else [])


def test_session_level_attributes_count() -> None:
    """
    ICE, fingerprint and setup may stand before the first m-line.
    """
    moved = [f"a=ice-ufrag:theirs\n{FINGERPRINT}\na=setup:active\na=recvonly\n"]
    lines = AUDIO.splitlines()
    gone = ("a=ice-", "a=fingerprint", "a=setup", "a=sendrecv")
    audio = "\n".join(line for line in lines if not line.startswith(gone))

    assert taken(SESSION + moved[0] + audio, PeerKind.WHEP).payload_type == 111


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ControlError.SDP_EMPTY),
        (" \r\n", ControlError.SDP_EMPTY),
        ("v=0\r\n" + "a=x\r\n" * MAX_SDP_BYTES, ControlError.SDP_TOO_LARGE),
        ("é" * (MAX_SDP_BYTES // 2 + 1), ControlError.SDP_TOO_LARGE),
        ("hello", ControlError.SDP_MALFORMED),
        ("v=1\n", ControlError.SDP_MALFORMED),
        ("v=0\nnonsense\n", ControlError.SDP_MALFORMED),
        ("v=0\na=x\x00y\n", ControlError.SDP_MALFORMED),
        ("v=0\nm=audio\n", ControlError.SDP_MALFORMED),
        ("v=0\n" + "a=x\n" * 1000, ControlError.SDP_MALFORMED),
        (SESSION + VIDEO * 2, ControlError.SDP_MALFORMED),
        (SESSION + AUDIO.replace("mid:0", "mid:0 1"), ControlError.SDP_MALFORMED),
        (SESSION + AUDIO.replace("a=ice-ufrag:theirs", ""), ControlError.SDP_MALFORMED),
        (SESSION + AUDIO.replace("actpass", "passive"), ControlError.SDP_MALFORMED),
        (SESSION + AUDIO.replace("a=rtcp-mux", ""), ControlError.SDP_MALFORMED),
        (
            SESSION + AUDIO + CHANNEL.replace("5001", "x"),
            ControlError.SDP_MALFORMED,
        ),
        (SESSION, ControlError.SDP_NO_AUDIO),
        (SESSION + VIDEO, ControlError.SDP_NO_AUDIO),
        (SESSION + AUDIO.replace("audio 9", "audio 0"), ControlError.SDP_NO_AUDIO),
        (SESSION + AUDIO.replace("UDP/TLS/", ""), ControlError.SDP_NO_AUDIO),
        (SESSION + AUDIO.replace("opus", "speex"), ControlError.SDP_NO_OPUS),
        (SESSION + AUDIO.replace("48000/2", "8000"), ControlError.SDP_NO_OPUS),
        (SESSION + AUDIO.replace(FINGERPRINT, ""), ControlError.SDP_NO_FINGERPRINT),
        (SESSION + AUDIO.replace("sha-256", "md5"), ControlError.SDP_NO_FINGERPRINT),
        (SESSION + AUDIO.replace("0F:0F", "0F"), ControlError.SDP_NO_FINGERPRINT),
        (SESSION + AUDIO.replace("sendrecv", "recvonly"), ControlError.SDP_DIRECTION),
        (SESSION + AUDIO.replace("sendrecv", "inactive"), ControlError.SDP_DIRECTION),
    ],
)
def test_bad_offers_are_refused_by_name(text: str, code: ControlError) -> None:
    """
    Each way of being wrong has a code of its own.
    """
    assert refused(text) == code


def test_a_whep_offer_must_receive() -> None:
    """
    An offer that only sends cannot be played to.
    """
    offer = SESSION + AUDIO.replace("sendrecv", "sendonly")

    assert refused(offer, PeerKind.WHEP) == ControlError.SDP_DIRECTION
    assert taken(offer).payload_type == 111


LINES = [*(SESSION + AUDIO + CHANNEL + VIDEO).splitlines(), "", "a=", "m=", "a=mid:"]


@given(st.lists(st.one_of(st.sampled_from(LINES), st.text(max_size=40)), max_size=40))
def test_no_offer_raises_anything_else(lines: list[str]) -> None:
    """
    Any order of any lines is answered, or refused with a code.
    """
    for kind in PeerKind:
        with contextlib.suppress(SdpRefused):
            offer = parse_offer("\n".join(["v=0", *lines]))
            answer = answer_sdp(offer, negotiate(offer, kind), LOCAL)
            assert answer.startswith("v=0\r\n")

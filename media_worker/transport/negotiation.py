"""What we take from an offer: one Opus stream in one direction, and who may send it."""

import re
from dataclasses import dataclass
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.roles import PeerKind

from ..room.ports import SdpRefused
from .sdp_offer import Offer, Section

AUDIO_LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
MIXER_LEVEL_URI: Final = "urn:ietf:params:rtp-hdrext:csrc-audio-level"  # RFC 6465
MAX_FINGERPRINTS: Final = 8
_DIGEST_BYTES: Final = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
_DIRECTIONS: Final = ("sendrecv", "sendonly", "recvonly", "inactive")
_OFFERED: Final = {
    PeerKind.WHIP: frozenset({"sendrecv", "sendonly"}),
    PeerKind.WHEP: frozenset({"sendrecv", "recvonly"}),
}
_AUDIO_PROTOCOLS: Final = frozenset({"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP"})
_CHANNEL_PROTOCOLS: Final = frozenset({"UDP/DTLS/SCTP", "TCP/DTLS/SCTP"})
_CHANNEL_FORMAT: Final = "webrtc-datachannel"
_MAX_MESSAGE_BYTES: Final = 65_536  # RFC 8841 6: where the offer says nothing
_ICE_UFRAG: Final = re.compile(r"[A-Za-z0-9+/]{4,256}")
_OPUS: Final = re.compile(r"([0-9]{1,3}) opus/48000/2", re.IGNORECASE)
_EXTMAP: Final = re.compile(r"([0-9]{1,5})(?:/[a-z]+)? (\S+).*")
_HEX: Final = "[0-9A-Fa-f]{2}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """Digest of the client's certificate (RFC 8122)."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StageChannel:
    """
    Where the client's data channels would run (RFC 8841).

    Args:
        index: Of its section in the offer.
    """

    index: int
    sctp_port: int
    max_message_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Negotiated:
    """
    What both sides will do; holds nothing of the offer's text, and lives long.

    Args:
        audio_index: Of the audio section in the offer.
        payload_type: The client's number for Opus.
        level_extension_id: RFC 6464 (WHIP) or RFC 6465 (WHEP); None: not offered.
        resends: The client may ask for lost packets (RFC 4585 6.2.1).
    """

    kind: PeerKind
    audio_index: int
    payload_type: int
    level_extension_id: int | None
    fingerprints: tuple[Fingerprint, ...]
    channel: StageChannel | None
    resends: bool = False


def negotiate(offer: Offer, kind: PeerKind) -> Negotiated:
    """
    Choose from an offer.

    Raises:
        SdpRefused: it has no audio, no Opus, no usable fingerprint, the wrong
            direction, or lacks what every WebRTC offer has.
    """
    audio = _audio(offer)
    payload_type = _opus(audio)
    fingerprints = _fingerprints(offer, audio)
    if _direction(offer, audio) not in _OFFERED[kind]:
        raise SdpRefused(
            ControlError.SDP_DIRECTION,
            "WHIP offers must send audio"
            if kind is PeerKind.WHIP
            else "WHEP offers must receive audio",
        )
    _check_transport(offer, audio)
    level_uri = AUDIO_LEVEL_URI if kind is PeerKind.WHIP else MIXER_LEVEL_URI
    return Negotiated(
        kind=kind,
        audio_index=offer.sections.index(audio),
        payload_type=payload_type,
        level_extension_id=_extension_id(audio, level_uri),
        fingerprints=fingerprints,
        channel=_channel(offer, audio) if kind is PeerKind.WHIP else None,
        resends=kind is PeerKind.WHEP and _offers_nack(audio, payload_type),
    )


def _audio(offer: Offer) -> Section:
    """Return the audio section to use: the first that is not switched off."""
    for section in offer.sections:
        if (
            section.kind == "audio"
            and section.protocol in _AUDIO_PROTOCOLS
            and _is_used(section)
        ):
            return section
    raise SdpRefused(ControlError.SDP_NO_AUDIO, "no audio section over DTLS-SRTP")


def _is_used(section: Section) -> bool:
    # Port 0 is a refused section, unless it is bundle-only (RFC 9143 6).
    return section.port != 0 or "bundle-only" in section.attributes


def _opus(audio: Section) -> int:
    for value in audio.attributes.get("rtpmap", []):
        match = _OPUS.fullmatch(value)
        if match and match[1] in audio.formats and int(match[1]) < 128:
            return int(match[1])
    raise SdpRefused(ControlError.SDP_NO_OPUS, "no opus/48000/2")


def _fingerprints(offer: Offer, audio: Section) -> tuple[Fingerprint, ...]:
    found = []
    for value in offer.values(audio, "fingerprint")[:MAX_FINGERPRINTS]:
        algorithm, _, digest = value.partition(" ")
        size = _DIGEST_BYTES.get(algorithm.lower())
        if size and re.fullmatch(rf"(?:{_HEX}:){{{size - 1}}}{_HEX}", digest):
            found.append(Fingerprint(algorithm=algorithm.lower(), value=digest))
    if not found:
        raise SdpRefused(
            ControlError.SDP_NO_FINGERPRINT, "no certificate fingerprint of SHA-2"
        )
    return tuple(found)


def _direction(offer: Offer, audio: Section) -> str:
    for attributes in (audio.attributes, offer.session):
        for direction in _DIRECTIONS:
            if direction in attributes:
                return direction
    return "sendrecv"  # RFC 8866 6.7: the default


def _check_transport(offer: Offer, audio: Section) -> None:
    ufrag = offer.values(audio, "ice-ufrag")
    setup = offer.values(audio, "setup")
    if not ufrag or not _ICE_UFRAG.fullmatch(ufrag[0]):
        raise SdpRefused(ControlError.SDP_MALFORMED, "no ice-ufrag")
    if not setup or setup[0] not in ("actpass", "active"):
        raise SdpRefused(ControlError.SDP_MALFORMED, "setup is not actpass or active")
    if "rtcp-mux" not in audio.attributes:
        raise SdpRefused(ControlError.SDP_MALFORMED, "rtcp-mux is needed")


def _extension_id(audio: Section, uri: str) -> int | None:
    for value in audio.attributes.get("extmap", []):
        match = _EXTMAP.fullmatch(value)
        # Ids above 14 would need two-byte headers (RFC 8285 4.3): not offered for one.
        if match and match[2] == uri and 1 <= int(match[1]) <= 14:
            return int(match[1])
    return None


def _offers_nack(audio: Section, payload_type: int) -> bool:
    """Whether lost packets may be asked for; profiles without F have no feedback."""
    offered = audio.attributes.get("rtcp-fb", [])
    wanted = {f"{payload_type} nack", "* nack"}
    return audio.protocol.endswith("SAVPF") and not wanted.isdisjoint(offered)


def _channel(offer: Offer, audio: Section) -> StageChannel | None:
    bundled = offer.bundled_mids
    for index, section in enumerate(offer.sections):
        if (
            section.kind == "application"
            and section.protocol in _CHANNEL_PROTOCOLS
            and section.formats == (_CHANNEL_FORMAT,)
            and _is_used(section)
            and {audio.mid, section.mid} <= bundled
        ):
            return StageChannel(
                index=index,
                sctp_port=_number(section.first("sctp-port"), 5000, 65_535),
                max_message_bytes=_number(
                    section.first("max-message-size"), _MAX_MESSAGE_BYTES, 2**31
                ),
            )
    return None


def _number(text: str | None, default: int, maximum: int) -> int:
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,10}", text) or int(text) > maximum:
        raise SdpRefused(ControlError.SDP_MALFORMED, "a number is out of range")
    return int(text)

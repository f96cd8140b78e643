"""The SDP answer of an ICE-lite, passive, single-port endpoint (RFC 9429 5.3)."""

import ipaddress
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from spaces_contract.media import PTIME_MS
from spaces_contract.roles import PeerKind

from .negotiation import AUDIO_LEVEL_URI, MIXER_LEVEL_URI, Negotiated
from .sdp_offer import Offer, Section

MAX_CHANNEL_MESSAGE_BYTES: Final = 16_384
_HOST_PRIORITY: Final = 2_130_706_431  # RFC 8445 5.1.2: host, best, component 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalTransport:
    """
    Our end of one session.

    Args:
        host: Announced IP address; `port` likewise.
        fingerprint: SHA-256 of our certificate.
        ssrc: Of the stream that WHEP clients get.
    """

    host: str
    port: int
    ufrag: str
    password: str
    fingerprint: str
    ssrc: int
    cname: str


def answer_sdp(offer: Offer, negotiated: Negotiated, local: LocalTransport) -> str:
    """Return the answer to `offer`, its m-lines in the offer's order (RFC 3264 6)."""
    chosen = {negotiated.audio_index}
    if negotiated.channel is not None:
        chosen.add(negotiated.channel.index)
    lines = [
        "v=0",
        f"o=- {secrets.randbits(62)} 1 IN {_ip(local.host)}",
        "s=-",
        "t=0 0",
        "a=ice-lite",
    ]
    mids = [offer.sections[index].mid for index in sorted(chosen)]
    bundled = [mid for mid in mids if mid is not None]
    if offer.bundled_mids and bundled:
        lines.append("a=group:BUNDLE " + " ".join(bundled))
    lines.append("a=msid-semantic: WMS *")
    for index, section in enumerate(offer.sections):
        if index == negotiated.audio_index:
            lines += _audio(section, negotiated, local)
        elif index in chosen:
            lines += _channel(section, local)
        else:
            lines += _refused(section)
    return "\r\n".join(lines) + "\r\n"


def _audio(
    section: Section, negotiated: Negotiated, local: LocalTransport
) -> Iterator[str]:
    opus = negotiated.payload_type
    receiving = negotiated.kind is PeerKind.WHIP
    yield f"m=audio {local.port} {section.protocol} {opus}"
    yield from _transport(section, local)
    yield "a=rtcp-mux"
    yield "a=recvonly" if receiving else "a=sendonly"
    yield f"a=rtpmap:{opus} opus/48000/2"
    # Mono in both directions: speech from one place, mixed in the middle.
    yield f"a=fmtp:{opus} minptime=10;useinbandfec=1;stereo=0;sprop-stereo=0"
    if negotiated.resends:
        yield f"a=rtcp-fb:{opus} nack"
    if negotiated.level_extension_id is not None:
        uri = AUDIO_LEVEL_URI if receiving else MIXER_LEVEL_URI
        yield f"a=extmap:{negotiated.level_extension_id} {uri}"
    if receiving:
        yield f"a=ptime:{PTIME_MS}"
    else:
        yield "a=msid:parley mix"
        yield f"a=ssrc:{local.ssrc} cname:{local.cname}"


def _channel(section: Section, local: LocalTransport) -> Iterator[str]:
    yield f"m=application {local.port} {section.protocol} webrtc-datachannel"
    yield from _transport(section, local)
    yield "a=sctp-port:5000"
    yield f"a=max-message-size:{MAX_CHANNEL_MESSAGE_BYTES}"


def _transport(section: Section, local: LocalTransport) -> Iterator[str]:
    yield f"c=IN {_ip(local.host)}"
    if section.mid is not None:
        yield f"a=mid:{section.mid}"
    yield f"a=ice-ufrag:{local.ufrag}"
    yield f"a=ice-pwd:{local.password}"
    yield f"a=fingerprint:sha-256 {local.fingerprint}"
    yield "a=setup:passive"
    # In each section: which one leads the bundle is the offer's choice.
    yield f"a=candidate:1 1 udp {_HOST_PRIORITY} {local.host} {local.port} typ host"
    yield "a=end-of-candidates"


def _refused(section: Section) -> Iterator[str]:
    yield f"m={section.kind} 0 {section.protocol} {section.formats[0]}"
    yield "c=IN IP4 0.0.0.0"
    if section.mid is not None:
        yield f"a=mid:{section.mid}"
    yield "a=inactive"


def _ip(host: str) -> str:
    return f"IP{ipaddress.ip_address(host).version} {host}"

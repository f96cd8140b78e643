"""The offer of a relay to its origin, and what it needs of the answer."""

from dataclasses import dataclass
from typing import Final, Self

from ..room.ports import SdpRefused
from ..transport.addresses import Address, address
from ..transport.negotiation import MIXER_LEVEL_URI, Fingerprint
from ..transport.sdp_offer import Offer, Section, parse_offer

PAYLOAD_TYPE: Final = 111
LEVEL_EXTENSION_ID: Final = 1


class AnswerUnusable(Exception):
    """The origin's answer is not one that an origin of this version gives."""


def feed_offer(*, fingerprint: str, ufrag: str, password: str) -> str:
    """
    Return the offer to receive one Opus stream with its mixer's levels.

    Args:
        fingerprint: SHA-256 of our certificate.
    """
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        f"m=audio 9 UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
        "c=IN IP4 0.0.0.0",
        "a=mid:0",
        "a=recvonly",
        "a=rtcp-mux",
        f"a=ice-ufrag:{ufrag}",
        f"a=ice-pwd:{password}",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:active",
        f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
        f"a=extmap:{LEVEL_EXTENSION_ID} {MIXER_LEVEL_URI}",
    )
    return "\r\n".join((*lines, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAnswer:
    """
    The origin's end of a feed.

    Args:
        level_extension_id: None where the origin tells no levels.
    """

    ufrag: str
    password: str
    fingerprint: Fingerprint
    host: str
    port: int
    level_extension_id: int | None

    @property
    def address(self) -> Address:
        """Where it listens."""
        return address(self.host, self.port)

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read an answer.

        Raises:
            AnswerUnusable: it lacks something.
        """
        try:
            answer = parse_offer(text)  # both are SDP of one form
            audio = next(each for each in answer.sections if each.kind == "audio")
            algorithm, digest = _first(answer, audio, "fingerprint").split()
            candidate = _first(answer, audio, "candidate").split()
            extended = f"{LEVEL_EXTENSION_ID} {MIXER_LEVEL_URI}"
            told = extended in answer.values(audio, "extmap")
            found = cls(
                ufrag=_first(answer, audio, "ice-ufrag"),
                password=_first(answer, audio, "ice-pwd"),
                fingerprint=Fingerprint(algorithm=algorithm, value=digest),
                host=candidate[4],
                port=int(candidate[5]),
                level_extension_id=LEVEL_EXTENSION_ID if told else None,
            )
            address(found.host, found.port)
        except (SdpRefused, StopIteration, ValueError, IndexError) as error:
            raise AnswerUnusable(str(error)) from error
        return found


def _first(answer: Offer, audio: Section, name: str) -> str:
    values = answer.values(audio, name)
    if not values:
        raise ValueError(f"no {name}")
    return values[0]

"""How much a client that knows its keys can make us remember."""

import pytest
from pylibsrtp import Policy, Session

from media_worker.egress.srtp import SrtpBuffer, SrtpHandle
from media_worker.transport.incoming import MAX_SSRCS, IncomingSrtp
from media_worker.transport.rtcp import receiver_report

KEY = bytes(range(30))


def srtp(direction: int, key: bytes = KEY) -> Session:
    """Return one end of a session."""
    profile = Policy.SRTP_PROFILE_AES128_CM_SHA1_80
    return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profile))


def rtp_packet(ssrc: int) -> bytes:
    """Return a small RTP packet."""
    return bytes([0x80, 111, 0, 1]) + bytes(4) + ssrc.to_bytes(4, "big") + b"sound"


class Wire:
    """A client with its keys, and our end."""

    def __init__(self) -> None:
        self.client = srtp(Policy.SSRC_ANY_OUTBOUND)
        self.incoming = IncomingSrtp(SrtpHandle(srtp(Policy.SSRC_ANY_INBOUND)))
        self._buffer = SrtpBuffer(1, 2_048)

    def rtcp(self, ssrc: int, *, client: Session | None = None) -> bytes | None:
        """Send a receiver report from `ssrc`; return what is opened."""
        protected = (client or self.client).protect_rtcp(receiver_report(ssrc, ()))
        self._buffer.memory[: len(protected)] = protected
        return self.incoming.open_rtcp(self._buffer, 0, len(protected))

    def rtp(self, ssrc: int) -> bytes | None:
        """Send sound from `ssrc`; return what is opened."""
        protected = self.client.protect(rtp_packet(ssrc))
        self._buffer.memory[: len(protected)] = protected
        return self.incoming.open_rtp(self._buffer, 0, len(protected))

    def short(self, length: int) -> bytes | None:
        """Send some bytes that hold no SSRC."""
        return self.incoming.open_rtcp(self._buffer, 0, length)


def test_reports_from_ever_new_ids_are_refused() -> None:
    """
    Authentic reports of `MAX_SSRCS` senders open; those of any more do not, and the
    first ones go on.
    """
    wire = Wire()

    opened = [wire.rtcp(ssrc) is not None for ssrc in range(1, 2 * MAX_SSRCS + 1)]

    assert opened == [True] * MAX_SSRCS + [False] * MAX_SSRCS
    assert wire.rtcp(1) is not None


def test_sound_and_reports_share_the_bound() -> None:
    """
    libsrtp keeps one list of streams for both, so both count.
    """
    wire = Wire()
    for ssrc in range(1, MAX_SSRCS):
        assert wire.rtcp(ssrc) is not None

    assert wire.rtp(1_000) is not None
    assert wire.rtp(1_001) is None
    assert wire.rtcp(1_001) is None
    assert wire.rtcp(1_000) is not None


def test_forged_ids_take_nobodys_place() -> None:
    """
    Who does not know the keys cannot use up the ids.
    """
    wire, forger = Wire(), srtp(Policy.SSRC_ANY_OUTBOUND, bytes(30))
    for ssrc in range(2 * MAX_SSRCS):
        assert wire.rtcp(ssrc, client=forger) is None

    assert wire.rtcp(7) is not None


@pytest.mark.parametrize("length", [0, 1, 7, 8])
def test_a_packet_without_an_id_is_refused(length: int) -> None:
    """
    What is too short for an SSRC, or for a tag, opens nothing.
    """
    assert Wire().short(length) is None

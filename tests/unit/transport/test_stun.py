"""Binding requests and answers, held against aioice's own reading of them."""

import struct

import pytest
from aioice import stun as peer
from hypothesis import given
from hypothesis import strategies as st

from media_worker.transport import stun
from media_worker.transport.addresses import Address, address

PASSWORD = b"s" * 32
SOURCE = address("198.51.100.7", 40_000)


def a_request(
    *,
    username: str = "ours:theirs",
    nominates: bool = False,
    controlled: bool = False,
    password: bytes = PASSWORD,
    fingerprint: bool = True,
) -> bytes:
    """Return a request as aioice sends it."""
    message = peer.Message(peer.Method.BINDING, peer.Class.REQUEST)
    message.attributes["USERNAME"] = username
    message.attributes["PRIORITY"] = 1
    message.attributes["ICE-CONTROLLED" if controlled else "ICE-CONTROLLING"] = 7
    if nominates:
        message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(password)
    message.add_fingerprint()
    whole = bytes(message)
    return whole if fingerprint else with_length(whole[:-8])


def with_length(message: bytes) -> bytes:
    """Return `message` with the length field that its size asks for."""
    return message[:2] + struct.pack("!H", len(message) - 20) + message[4:]


def parsed(datagram: bytes) -> stun.BindingRequest:
    """Return the request, which must be one."""
    request = stun.parse_binding_request(datagram)
    assert request is not None
    return request


@pytest.mark.parametrize("nominates", [False, True])
@pytest.mark.parametrize("fingerprint", [False, True])
def test_a_request_is_read_and_proven(nominates: bool, fingerprint: bool) -> None:
    """
    User name and flag are read; the right password proves the sender.
    """
    request = parsed(a_request(nominates=nominates, fingerprint=fingerprint))

    assert request.ufrag == b"ours"
    assert request.nominates is nominates
    assert not request.claims_controlled
    assert stun.is_authentic(request, PASSWORD)


def test_another_password_proves_nothing() -> None:
    """
    Whoever does not know the session's password is not authentic.
    """
    request = parsed(a_request(password=b"guess"))

    assert not stun.is_authentic(request, PASSWORD)


def test_an_attribute_after_the_integrity_does_not_count() -> None:
    """
    USE-CANDIDATE appended by somebody on the way does not nominate.
    """
    use_candidate = struct.pack("!HH", 0x0025, 0)

    request = parsed(with_length(a_request(fingerprint=False) + use_candidate))

    assert not request.nominates
    assert stun.is_authentic(request, PASSWORD)


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        (SOURCE, ("198.51.100.7", 40_000)),
        (address("2001:db8::7", 40_001), ("2001:db8::7", 40_001)),
        (address("::ffff:198.51.100.7", 40_002), ("198.51.100.7", 40_002)),
    ],
)
def test_the_answer_tells_the_sender_its_address(
    source: Address, seen: tuple[str, int]
) -> None:
    """
    A success carries the address as seen, signed and fingerprinted; mapped IPv4 as
    what it is.
    """
    request = parsed(a_request())

    answer = peer.parse_message(stun.binding_success(request, source, PASSWORD))

    assert answer.message_class is peer.Class.RESPONSE
    assert answer.transaction_id == request.transaction_id
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == seen
    assert answer.check_message_integrity(PASSWORD)


def test_a_peer_in_the_wrong_role_is_told_so() -> None:
    """
    A client that takes itself for controlled gets 487: we are lite, it must control.
    """
    request = parsed(a_request(controlled=True))

    error = stun.binding_error(request, stun.ROLE_CONFLICT, PASSWORD)
    answer = peer.parse_message(error)

    assert request.claims_controlled
    assert answer.message_class is peer.Class.ERROR
    assert answer.attributes["ERROR-CODE"][0] == 487
    assert answer.check_message_integrity(PASSWORD)


def test_an_attribute_that_must_be_understood_is_reported() -> None:
    """
    An unknown attribute below 0x8000 is answered with 420 (RFC 8489 6.3.1).
    """
    plain = a_request(fingerprint=False)
    unknown = struct.pack("!HH", 0x7FFE, 0)

    request = parsed(with_length(plain[:20] + unknown + plain[20:]))
    answer = stun.binding_error(request, stun.UNKNOWN_ATTRIBUTE, PASSWORD)

    assert request.unknown == (0x7FFE,)
    assert peer.parse_message(answer).attributes["ERROR-CODE"][0] == 420


@pytest.mark.parametrize("nominates", [False, True])
def test_a_repeated_request_is_read_quickly(nominates: bool) -> None:
    """
    The same request with another transaction is what it would be if read in full.
    """
    known = parsed(a_request(nominates=nominates))
    datagram = a_request(nominates=nominates)

    repeated = stun.parse_repeated(datagram, known)

    assert repeated is not None
    assert repeated == parsed(datagram) != known
    assert stun.is_authentic(repeated, PASSWORD)


@pytest.mark.parametrize(
    "datagram",
    [
        a_request(nominates=True),
        a_request(controlled=True),
        a_request(username="ours:others"),
        a_request(fingerprint=False),
    ],
    ids=["nominates", "controlled", "another name", "no fingerprint"],
)
def test_another_request_is_no_repeated_one(datagram: bytes) -> None:
    """
    Whatever differs in more than its transaction is left to be read in full.
    """
    assert stun.parse_repeated(datagram, parsed(a_request())) is None


KNOWN = parsed(a_request(nominates=True))
REPEATED = a_request(nominates=True)


@given(
    at=st.integers(0, len(REPEATED)),
    cut=st.integers(0, 30),
    put=st.binary(max_size=30),
)
def test_quick_reading_accepts_nothing_that_full_reading_would_not(
    at: int, cut: int, put: bytes
) -> None:
    """
    Changed anywhere, a datagram is read as the same request or not at all.
    """
    datagram = REPEATED[:at] + put + REPEATED[at + cut :]

    repeated = stun.parse_repeated(datagram, KNOWN)

    assert repeated in (None, stun.parse_binding_request(datagram))


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"\0\1",
        a_request()[:-1],
        a_request() + b"\0",
        a_request()[:-1] + b"\0",  # the fingerprint does not hold
        a_request(username="x" * 600),
        b"\1\1" + a_request()[2:],  # a success, not a request
        a_request()[:4] + b"\0\0\0\0" + a_request()[8:],  # no cookie
        bytes(peer.Message(peer.Method.BINDING, peer.Class.REQUEST)),
    ],
    ids=lambda datagram: f"{len(datagram)} bytes",
)
def test_what_is_not_a_signed_request_is_nothing(datagram: bytes) -> None:
    """
    Cut, grown, damaged and unsigned datagrams are not read as requests.
    """
    assert stun.parse_binding_request(datagram) is None


@given(st.binary(max_size=200), st.integers(0, 107), st.integers(0, 255))
def test_no_input_raises(junk: bytes, position: int, value: int) -> None:
    """
    Noise is refused, and a request with any signed byte changed proves nothing.
    """
    assert stun.parse_binding_request(b"\0\1" + junk) is None
    damaged = bytearray(a_request())
    position %= len(damaged) - 8  # the fingerprint is not signed
    changed = damaged[position] != value
    damaged[position] = value

    request = stun.parse_binding_request(bytes(damaged))

    assert request is None or stun.is_authentic(request, PASSWORD) is not changed

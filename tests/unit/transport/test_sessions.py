"""Who is found by which address, and how few addresses are remembered."""

import time
from typing import Any, cast

import pytest

from media_worker.room.ports import SessionInfo
from media_worker.transport.addresses import Address, address
from media_worker.transport.certificate import ProcessCertificate
from media_worker.transport.counters import EndpointCounters
from media_worker.transport.demux import Kind, kind_of
from media_worker.transport.negotiation import Fingerprint, Negotiated
from media_worker.transport.session import MAX_ADDRESSES, Session
from media_worker.transport.sessions import Sessions
from spaces_contract.ids import SessionId, UserId
from spaces_contract.roles import PeerKind

CERTIFICATE = ProcessCertificate.generate()


def port(number: int) -> Address:
    """Return an address that differs by port."""
    return address("198.51.100.7", number)


def a_session(name: str) -> Session:
    """Return a WHEP session whose client has not come yet."""
    negotiated = Negotiated(
        kind=PeerKind.WHEP,
        audio_index=0,
        payload_type=111,
        level_extension_id=None,
        fingerprints=(Fingerprint(algorithm="sha-256", value="00"),),
        channel=None,
    )
    return Session(
        SessionInfo(
            session_id=SessionId(name),
            user_id=UserId("ana"),
            kind=negotiated.kind,
            grant_id="grant",
        ),
        negotiated,
        ufrag=name,
        password="secret",
        certificate=CERTIFICATE,
        owner=cast(Any, None),  # it has nobody to tell anything
        counters=EndpointCounters(),
        now_s=time.monotonic,
    )


async def test_a_session_is_found_until_it_is_removed() -> None:
    """
    By id, by user name fragment and by every address it proved itself at.
    """
    sessions, session = Sessions(), a_session("one")
    sessions.add(session)
    sessions.bind(session, port(1))
    sessions.bind(session, port(2))

    assert sessions.by_id(SessionId("one")) is session
    assert sessions.by_ufrag(b"one") is session
    assert sessions.by_address(port(2)) is session

    sessions.remove(session)

    assert len(sessions) == 0
    assert sessions.by_ufrag(b"one") is None
    assert sessions.by_address(port(1)) is None


async def test_a_person_has_one_session_a_direction() -> None:
    """
    The latest is found, also after the earlier one is gone.
    """
    sessions, old, new = Sessions(), a_session("old"), a_session("new")
    ana = UserId("ana")
    sessions.add(old)
    assert sessions.by_person(ana, PeerKind.WHEP) is old

    sessions.add(new)
    sessions.remove(old)

    assert sessions.by_person(ana, PeerKind.WHEP) is new
    assert sessions.by_person(ana, PeerKind.WHIP) is None
    sessions.remove(new)
    assert sessions.by_person(ana, PeerKind.WHEP) is None


async def test_an_id_is_used_once() -> None:
    """
    A second session of the same id is refused, and changes nothing.
    """
    sessions, session = Sessions(), a_session("one")
    sessions.add(session)

    with pytest.raises(ValueError, match="id or ufrag"):
        sessions.add(a_session("one"))
    assert sessions.by_id(SessionId("one")) is session


async def test_an_address_belongs_to_who_proved_itself_last() -> None:
    """
    A NAT port used again goes over to the new session; the old one's end does not
    take it away.
    """
    sessions, old, new = Sessions(), a_session("old"), a_session("new")
    sessions.add(old)
    sessions.add(new)
    sessions.bind(old, port(1))
    sessions.bind(new, port(1))
    sessions.remove(old)

    assert sessions.by_address(port(1)) is new


async def test_few_addresses_are_remembered() -> None:
    """
    A client that proves itself everywhere costs a bounded number of addresses; the
    selected one is never forgotten.
    """
    sessions, session = Sessions(), a_session("one")
    sessions.add(session)
    session.path.request_received(port(1), nominates=True, now_s=0.0)
    for number in range(1, 50):
        sessions.bind(session, port(number))

    known = [n for n in range(1, 50) if sessions.by_address(port(n)) is session]
    assert len(known) == MAX_ADDRESSES == len(session.addresses)
    assert known[0] == 1
    assert known[-1] == 49


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        (0, 1, Kind.STUN),
        (3, 1, Kind.STUN),
        (4, 0, Kind.JUNK),
        (19, 0, Kind.JUNK),
        (20, 254, Kind.DTLS),
        (63, 254, Kind.DTLS),
        (64, 0, Kind.JUNK),  # TURN channels: not for us
        (128, 111, Kind.RTP),
        (191, 0x80 | 111, Kind.RTP),
        (128, 191, Kind.RTP),
        (128, 192, Kind.RTCP),
        (129, 223, Kind.RTCP),
        (128, 224, Kind.RTP),
        (192, 200, Kind.JUNK),
        (255, 255, Kind.JUNK),
    ],
)
def test_protocols_are_told_apart(first: int, second: int, kind: Kind) -> None:
    """
    RFC 7983's first byte, and RFC 5761's second for RTCP.
    """
    assert kind_of(first, second) is kind

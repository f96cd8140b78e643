"""
A crowd of listeners in one process: real STUN, DTLS and RTCP, RTP left unread.

A member is a socket and two keys, without tasks, so that thousands fit beside what is
measured.  The arrival times of sampled members are the kernel's, so that what delays
this process does not look like the worker's delay.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from aioice import stun
from aiortc.rtcdtlstransport import SRTP_PROFILES
from OpenSSL import SSL
from pylibsrtp import Policy, Session

from media_worker.transport import stun as own_stun
from media_worker.transport.addresses import address
from spaces_contract.roles import PeerKind
from tests.light_clients import (
    Answer,
    ArrivalLog,
    certificate,
    make_offer,
    receiver_report,
)

STUN_EVERY_S: Final = 2.5
REQUESTS_A_REPORT: Final = 2  # so reports come every 5 s, as browsers send them
ROUND_S: Final = 0.05
ANSWER_PATIENCE_S: Final = 0.5
MAX_TRIES: Final = 40
UNREAD_BUFFER_BYTES: Final = 4_096
READ_BUFFER_BYTES: Final = 1024 * 1024
_TIMESTAMP_OPTION: Final = 35  # SO_TIMESTAMPNS, which the socket module does not name

Post = Callable[[str], Awaitable[str]]  # offer in, answer out


class CrowdMember:
    """
    One WHEP session.

    Args:
        reads: Whether to read RTP and to answer checks: full ICE agents send them.
        sampled: Whether to keep each packet's arrival time until `drain`.
        arrivals: Where they are noted, in seconds since 1970.
    """

    def __init__(
        self,
        host: str,
        *,
        reads: bool = False,
        sampled: bool = False,
        arrivals: ArrivalLog | None = None,
    ) -> None:
        self.arrivals = arrivals or ArrivalLog()
        self._reads = reads
        self._sampled = sampled
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((host, 0))
        self._srtp: Session | None = None
        self._requests = 0

    async def connect(self, post: Post) -> None:
        """
        Open the session and agree on keys.

        Raises:
            TimeoutError: the server does not answer.
        """
        host, port = self._socket.getsockname()
        offer = make_offer(PeerKind.WHEP, self._ufrag, self._password)
        offer += f"a=candidate:1 1 udp 2130706431 {host} {port} typ host\r\n"
        self._answer = Answer.parse(await post(offer + "a=end-of-candidates\r\n"))
        self._socket.connect(self._answer.address)
        for _ in range(MAX_TRIES):
            self.send_request()
            data = await self._next()
            if data is not None and data[0] < 4:
                break
        self._srtp = await self._handshake()
        self._settle()

    def send_request(self) -> None:
        """Send the check that keeps the session alive, and a report now and then."""
        request = stun.Message(
            message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST
        )
        request.attributes["USERNAME"] = f"{self._answer.ufrag}:{self._ufrag}"
        request.attributes["PRIORITY"] = 1853824767
        request.attributes["ICE-CONTROLLING"] = 1
        request.attributes["USE-CANDIDATE"] = None
        request.add_message_integrity(self._answer.password.encode())
        self._send(bytes(request))
        self._requests += 1
        if self._srtp is not None and self._requests % REQUESTS_A_REPORT == 0:
            self._send(self._srtp.protect_rtcp(receiver_report()))

    def drain(self) -> None:
        """Note the arrival of what a sampled member's socket holds."""
        with contextlib.suppress(OSError):  # nothing more, or the server was killed
            while True:
                data, extra, _, _ = self._socket.recvmsg(2048, 64)
                if _is_rtp(data):
                    seconds, nanoseconds = struct.unpack("qq", extra[0][2])
                    self.arrivals.packet(seconds + nanoseconds / 1e9, data)

    def close(self) -> None:
        """Close the socket; the session ends by silence."""
        if self._reads:
            asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    async def _handshake(self) -> Session:
        connection = SSL.Connection(_context())
        connection.set_connect_state()
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + MAX_TRIES * ANSWER_PATIENCE_S
        while loop.time() < deadline_s:
            try:
                connection.do_handshake()
            except SSL.WantReadError:
                self._flush(connection)
            else:
                return self._outgoing(connection)
            data = await self._next()
            if data is not None and 19 < data[0] < 64:
                connection.bio_write(data)
            else:  # media may come first where the last flight is lost
                connection.DTLSv1_handle_timeout()
        raise TimeoutError("no handshake")

    def _flush(self, connection: SSL.Connection) -> None:
        with contextlib.suppress(SSL.WantReadError):
            while True:
                self._send(connection.bio_read(1500))

    def _outgoing(self, connection: SSL.Connection) -> Session:
        self._flush(connection)
        chosen = connection.get_selected_srtp_profile()
        profile = next(p for p in SRTP_PROFILES if p.openssl_profile == chosen)
        size = 2 * (profile.key_length + profile.salt_length)
        material = connection.export_keying_material(b"EXTRACTOR-dtls_srtp", size)
        policy = Policy(
            key=profile.get_key_and_salt(material, 0),
            ssrc_type=Policy.SSRC_ANY_OUTBOUND,
            srtp_profile=profile.libsrtp_profile,
        )
        return Session(policy)

    def _settle(self) -> None:
        size = UNREAD_BUFFER_BYTES
        if self._sampled:
            size = READ_BUFFER_BYTES
            self._socket.setsockopt(socket.SOL_SOCKET, _TIMESTAMP_OPTION, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
        if self._reads:
            asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def _readable(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data = self._socket.recv(2048)
                if _is_rtp(data):
                    self.arrivals.packets += 1
                elif data[0] < 4:
                    self._answer_check(data)

    def _answer_check(self, data: bytes) -> None:
        request = own_stun.parse_binding_request(data)
        if request is not None:
            source = address(*self._answer.address)
            password = self._password.encode()
            self._send(own_stun.binding_success(request, source, password))

    async def _next(self) -> bytes | None:
        """Return the next datagram, or None where none came in time."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                data = await loop.sock_recv(self._socket, 2048)
        except (TimeoutError, ConnectionError):
            return None
        if self._reads and data[:2] == b"\0\1":
            self._answer_check(data)
        return data

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # an ICMP error, or no room just now
            self._socket.send(data)


class Crowd:
    """
    Members that come, stay, and are asked about what they got.

    Lifecycle: `keep_alive` runs as a task of the owner's; `close` at the end.
    """

    def __init__(self, host: str = "127.0.0.1", *, reads: bool = False) -> None:
        self.members: list[CrowdMember] = []
        self.sampled: list[CrowdMember] = []
        self._host = host
        self._reads = reads

    async def join(
        self,
        post: Callable[[str, str], Awaitable[str]],
        count: int,
        *,
        at_once: int = 8,
        within_s: float = 0.0,
        sampled: int = 0,
    ) -> None:
        """
        Let `count` members join.

        Args:
            post: Takes a user's id and an offer, returns the answer.
            at_once: How many may be on their way in at the same time.
            within_s: Spread their coming over this time.
            sampled: How many of them note arrivals, first and last ones among them.
        """
        gate = asyncio.Semaphore(at_once)
        first = len(self.members)
        noting = {
            index * (count - 1) // max(1, sampled - 1) for index in range(sampled)
        }

        async def one(index: int) -> None:
            await asyncio.sleep(within_s * index / count)
            async with gate:
                member = CrowdMember(
                    self._host, reads=self._reads, sampled=index in noting
                )
                user_id = f"listener{first + index}"
                await member.connect(lambda offer: post(user_id, offer))
                self.members.append(member)
                if index in noting:
                    self.sampled.append(member)

        await asyncio.gather(*(one(index) for index in range(count)))

    async def keep_alive(self) -> None:
        """Send everybody's checks and reports, evenly spread, for ever."""
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        position = 0.0
        while True:
            due_s = max(due_s + ROUND_S, loop.time() - 1.0)
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            size = len(self.members)
            end = position + size * ROUND_S / STUN_EVERY_S
            for index in range(int(position), int(end)):
                self.members[index % size].send_request()
            position = end % size if size else 0.0
            for member in self.sampled:
                member.drain()

    def add(self, member: CrowdMember) -> None:
        """Look after a member that has connected by itself, and note its arrivals."""
        self.members.append(member)
        self.sampled.append(member)

    def remove(self, member: CrowdMember) -> None:
        """Close a member that was added, and forget it."""
        self.members.remove(member)
        self.sampled.remove(member)
        member.close()

    @property
    def packets(self) -> int:
        """How many RTP packets those who read have got."""
        return sum(member.arrivals.packets for member in self.members)

    def close(self) -> None:
        """Close all sockets."""
        for member in self.members:
            member.close()


def _is_rtp(data: bytes) -> bool:
    return len(data) > 1 and 127 < data[0] < 192 and not 192 <= data[1] <= 223


_CONTEXTS: list[SSL.Context] = []


def _context() -> SSL.Context:
    if not _CONTEXTS:
        _CONTEXTS.append(certificate()._create_ssl_context(SRTP_PROFILES))
    return _CONTEXTS[0]

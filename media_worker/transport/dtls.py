"""
DTLS-SRTP of one session, without I/O of its own.

aiortc's `RTCDtlsTransport` gives each connection a task, a queue and an RTP router,
which every listener would pay for.
"""

import contextlib
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Protocol

from OpenSSL import SSL
from pylibsrtp import Policy
from pylibsrtp import Session as SrtpSession

from ..egress.sealing import AeadKeys, is_available
from .certificate import ProcessCertificate
from .negotiation import Fingerprint
from .srtp_keys import AEAD_AES_256_GCM, PROFILES, SrtpProfile, aead_keys

MAX_DATAGRAM_BYTES: Final = 1_500
RECEIVE_WINDOW_PACKETS: Final = 1_024  # of reordering, before a packet is a replay
_KEYS_LABEL: Final = b"EXTRACTOR-dtls_srtp"  # RFC 5764 4.2


class DtlsState(StrEnum):
    """Forward-only life of an association."""

    OPENING = "opening"
    OPEN = "open"  # keys agreed
    CLOSED = "closed"  # by either side
    FAILED = "failed"  # no keys: wrong certificate, no common profile…


class DtlsUser(Protocol):
    """Whom a channel serves; called while a datagram or a timeout is handled."""

    def dtls_send(self, datagram: bytes) -> None:
        """Send a datagram to where the session's media goes."""

    def dtls_opened(self) -> None:
        """Note that keys are agreed."""

    def dtls_data(self, data: bytes) -> None:
        """Take application data."""

    def dtls_ended(self, state: DtlsState) -> None:
        """Note that the client closed the association, or that it failed."""


class DtlsChannel:
    """
    One DTLS association, as the server unless it is `active`.

    Lifecycle: OPENING -> OPEN -> CLOSED, or OPENING -> FAILED.  A server allocates
    nothing before the client's first datagram, a client says hello when it is told to
    `shake`; `close` may be called at any time, any number of times.  An open one that
    only has to be closed some day is `retired`.

    Args:
        fingerprints: Of the peer's certificate, from its SDP, at least one.
        active: We are the client.
    """

    __slots__ = (
        "_active",
        "_certificate",
        "_connection",
        "_farewell",
        "_fingerprints",
        "_user",
        "incoming",
        "outgoing",
        "outgoing_keys",
        "state",
    )

    def __init__(
        self,
        certificate: ProcessCertificate,
        fingerprints: Sequence[Fingerprint],
        user: DtlsUser,
        *,
        active: bool = False,
    ) -> None:
        self._active = active
        self._certificate = certificate
        self._fingerprints = fingerprints
        self._user = user
        self._connection: SSL.Connection | None = None
        self._farewell = b""  # of an association that is not kept
        self.state = DtlsState.OPENING
        self.incoming: SrtpSession | None = None  # of what the client sends
        self.outgoing: SrtpSession | None = None
        self.outgoing_keys: AeadKeys | None = None  # where libsrtp is not needed

    def shake(self) -> None:
        """Begin the handshake, as the client."""
        if self.state is DtlsState.OPENING and self._connection is None:
            self._connection = self._certificate.connect()
            self._shake(self._connection)

    def receive(self, datagram: bytes) -> None:
        """Take a DTLS datagram; one step of a handshake costs up to a millisecond."""
        if self.state is DtlsState.OPENING:
            if self._connection is None:
                self._connection = self._certificate.accept()
            self._connection.bio_write(datagram)
            self._shake(self._connection)
        elif self._connection is not None:
            self._connection.bio_write(datagram)
            self._read(self._connection)

    @property
    def timeout_s(self) -> float | None:
        """How long to wait for the client before `timed_out`; None: not at all."""
        if self._connection is None:
            return None
        timeout_s: float | None = self._connection.DTLSv1_get_timeout()
        return timeout_s

    def timed_out(self) -> None:
        """Send again what the client did not answer (RFC 6347 4.2.4)."""
        if self._connection is not None:
            with contextlib.suppress(SSL.Error):
                self._connection.DTLSv1_handle_timeout()
            self._flush(self._connection)

    def send(self, data: bytes) -> None:
        """Send application data; dropped where the association is not open."""
        if self.state is DtlsState.OPEN and self._connection is not None:
            self._connection.send(data)
            self._flush(self._connection)

    @property
    def is_retired(self) -> bool:
        """Whether nothing is read any more."""
        return bool(self._farewell)

    def retire(self) -> None:
        """
        Free an open association, 90 KB; keep the close_notify that will end it.

        A client that did not get our last flight could not ask for it again.
        """
        connection = self._connection
        if self.state is not DtlsState.OPEN or connection is None:
            return
        with contextlib.suppress(SSL.Error):
            connection.shutdown()
            self._farewell = connection.bio_read(MAX_DATAGRAM_BYTES)
        self._connection = None

    def close(self) -> None:
        """Send close_notify where there is an association, and free it."""
        connection = self._connection
        if self._farewell:
            self._user.dtls_send(self._farewell)
            self._farewell = b""
        if connection is not None:
            with contextlib.suppress(SSL.Error):
                connection.shutdown()
            self._flush(connection)
        self._forget(DtlsState.CLOSED)

    def _shake(self, connection: SSL.Connection) -> None:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            self._flush(connection)
            return
        except SSL.Error:
            self._fail(connection)
            return
        self._flush(connection)
        profile = self._profile(connection)
        if profile is None or not self._is_expected(connection):
            self._fail(connection)
            return
        self._set_keys(connection, profile)
        self.state = DtlsState.OPEN
        self._user.dtls_opened()

    def _read(self, connection: SSL.Connection) -> None:
        closed = False
        with contextlib.suppress(SSL.Error):
            try:
                while self.state is DtlsState.OPEN:
                    self._user.dtls_data(connection.recv(MAX_DATAGRAM_BYTES))
            except SSL.ZeroReturnError:
                closed = True
        # Also where nothing was read: a client that missed our last flight, asks.
        self._flush(connection)
        if closed:
            self.close()
            self._user.dtls_ended(DtlsState.CLOSED)

    def _flush(self, connection: SSL.Connection) -> None:
        with contextlib.suppress(SSL.Error):  # WantReadError: it was all
            while True:
                self._user.dtls_send(connection.bio_read(MAX_DATAGRAM_BYTES))

    def _fail(self, connection: SSL.Connection) -> None:
        self._flush(connection)  # the alert
        self._forget(DtlsState.FAILED)
        self._user.dtls_ended(DtlsState.FAILED)

    def _forget(self, state: DtlsState) -> None:
        self._connection = None
        if self.state is not DtlsState.FAILED:
            self.state = state

    def _is_expected(self, connection: SSL.Connection) -> bool:
        """Whether the client's certificate is the offer's, by every fingerprint."""
        certificate = connection.get_peer_certificate()
        return certificate is not None and all(
            certificate.digest(print_.algorithm.replace("-", "")).decode()
            == print_.value.upper()
            for print_ in self._fingerprints
        )

    @staticmethod
    def _profile(connection: SSL.Connection) -> SrtpProfile | None:
        name = connection.get_selected_srtp_profile()
        return next((p for p in PROFILES if p.name == name), None)

    def _set_keys(self, connection: SSL.Connection, profile: SrtpProfile) -> None:
        material = connection.export_keying_material(
            _KEYS_LABEL, profile.material_bytes
        )
        ours = 0 if self._active else 1
        incoming = Policy(
            key=profile.master(material, 1 - ours),
            ssrc_type=Policy.SSRC_ANY_INBOUND,
            srtp_profile=profile.number,
        )
        incoming.window_size = RECEIVE_WINDOW_PACKETS
        self.incoming = SrtpSession(incoming)
        master = profile.master(material, ours)
        if profile is AEAD_AES_256_GCM and is_available():
            self.outgoing_keys = aead_keys(master)
        self.outgoing = SrtpSession(
            Policy(
                key=master,
                ssrc_type=Policy.SSRC_ANY_OUTBOUND,
                srtp_profile=profile.number,
            )
        )

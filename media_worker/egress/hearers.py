"""Who hears what: parallel arrays, one row a hearer, so that stamping is vectorised."""

import secrets
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from .packet_head import MARKER
from .resends import SentPackets
from .sealing import AeadKeys, Secrets
from .srtp import SrtpHandle

FIRST_SEQUENCES: Final = 1 << 15  # RFC 3711 3.3.1: wrap-around stays unambiguous
_FIRST_CAPACITY: Final = 16
_REPORTED: Final = 0xFFFF_FFFF


@dataclass(slots=True, kw_only=True)
class Hearer:
    """
    One listener as the fan-out knows them; belongs to at most one group.

    Args:
        address: Raw socket address; replaced when media moves.
        payload_type: The client's number for Opus.
        level_extension_id: RFC 6465's id, 1 to 14; 0 where not negotiated.
        aead: Keys with which to encrypt without `srtp`, where that is possible.
        sent_packets: Where packets are kept for one who may ask for them again.
    """

    srtp: SrtpHandle
    address: bytes
    payload_type: int
    level_extension_id: int
    source: str
    aead: AeadKeys | None = None
    sent_packets: SentPackets | None = None
    group: "HearerGroup | None" = None
    row: int = -1


@dataclass(frozen=True, slots=True)
class SentSoFar:
    """What a sender report counts (RFC 3550 6.4.1)."""

    packets: int
    octets: int


class HearerGroup:
    """
    Hearers of one source whose packets have one layout.

    Rows `0 … len - 1` are in use; leaving moves the last row into the gap, so joining
    and leaving cost the same whatever the audience.

    Args:
        name_bytes: Size of a socket address.
        sealed: Whether all have `aead`, and none needs libsrtp.

    Attributes:
        sequences: Next packet's index: rollover counter and sequence number, 48 bits.
        types: Next packet's second byte: marker and payload type.
        secrets: Of a sealed group: what encrypts the next packets.
    """

    def __init__(self, name_bytes: int, *, sealed: bool = False) -> None:
        self._name_bytes = name_bytes
        self.sealed = sealed
        self._packets = self._octets = 0  # sent to each since the group began
        self.members: list[Hearer] = []
        self.contexts: list[Any] = []
        self.seals: list[tuple[bytes, int]] = []  # of a sealed group: key, salt
        self.secrets = Secrets(0)
        self._reserve(_FIRST_CAPACITY)

    def __len__(self) -> int:
        return len(self.members)

    def add(self, hearer: Hearer) -> None:
        """Append a hearer whose stream begins here, with a random sequence number."""
        row = len(self.members)
        if row == len(self.sequences):
            self._grow()
        self.members.append(hearer)
        self.contexts.append(hearer.srtp.context)
        self.names[row] = np.frombuffer(hearer.address, np.uint8)
        self.types[row] = MARKER | hearer.payload_type
        self.level_ids[row] = hearer.level_extension_id
        self.sequences[row] = secrets.randbelow(FIRST_SEQUENCES)
        self._begin_count(row, SentSoFar(0, 0))
        if self.sealed and hearer.aead is not None:
            self.seals.append((hearer.aead.key, int.from_bytes(hearer.aead.salt)))
            self.secrets.put(row, hearer.aead)
        hearer.group, hearer.row = self, row

    def remove(self, hearer: Hearer) -> None:
        """Take a hearer out; the last one gets their row."""
        row, last = hearer.row, len(self.members) - 1
        self._copy_row(self, last, row)
        self.members[row] = self.members[last]
        self.contexts[row] = self.contexts[last]
        self.members[row].row = row
        self.members.pop()
        self.contexts.pop()
        if self.sealed:
            self.seals[row] = self.seals[last]
            self.seals.pop()
        hearer.group, hearer.row = None, -1

    def adopt(self, hearer: Hearer) -> None:
        """Take a hearer over from their group; their stream goes on unbroken."""
        before, row = hearer.group, hearer.row
        if before is None:
            raise ValueError("a hearer without a group has no stream to go on with")
        sent = before.sent(hearer)
        self.add(hearer)
        self._copy_row(before, row, hearer.row)
        self._begin_count(hearer.row, sent)
        adopted = hearer.row
        hearer.row = row
        before.remove(hearer)
        hearer.group, hearer.row = self, adopted

    def move(self, hearer: Hearer) -> None:
        """Send to the hearer's present address from now on."""
        self.names[hearer.row] = np.frombuffer(hearer.address, np.uint8)

    def skip(self, packets: int) -> None:
        """Leave sequence numbers out for packets that never came."""
        self.sequences[: len(self.members)] += np.uint64(packets)

    def note_sent(self, payload_bytes: int) -> None:
        """Count one packet to each hearer."""
        self._packets += 1
        self._octets += payload_bytes

    def sent(self, hearer: Hearer) -> SentSoFar:
        """Return what was sent to a hearer, in 32 bits as in a sender report."""
        packets, octets = self._uncounted[hearer.row].tolist()
        return SentSoFar(
            (self._packets - packets) & _REPORTED, (self._octets - octets) & _REPORTED
        )

    def _begin_count(self, row: int, sent: SentSoFar) -> None:
        packets, octets = self._packets - sent.packets, self._octets - sent.octets
        self._uncounted[row] = (packets, octets)

    def _reserve(self, rows: int) -> None:
        self.names: npt.NDArray[np.uint8] = np.zeros((rows, self._name_bytes), np.uint8)
        self.types = np.zeros(rows, np.uint8)
        self.level_ids = np.zeros(rows, np.uint8)
        self.sequences = np.zeros(rows, np.uint64)
        # What the group had sent before a hearer's first packet: (packets, octets).
        self._uncounted = np.zeros((rows, 2), np.int64)
        self.names_at = self.names.ctypes.data
        # The same memory, for few: one value by numpy costs four times as much.
        self.type_view = self.types.data
        self.level_id_view = self.level_ids.data
        self.sequence_view = self.sequences.data
        if self.sealed:
            self.secrets = Secrets(rows)

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return (
            *(self.secrets.columns if self.sealed else ()),
            self.names,
            self.types,
            self.level_ids,
            self.sequences,
            self._uncounted,
        )

    def _grow(self) -> None:
        before = self._columns()
        rows = len(self.sequences)
        self._reserve(2 * rows)
        for new, old in zip(self._columns(), before, strict=True):
            new[:rows] = old

    def _copy_row(self, source: "HearerGroup", source_row: int, row: int) -> None:
        for mine, theirs in zip(self._columns(), source._columns(), strict=True):
            mine[row] = theirs[source_row]

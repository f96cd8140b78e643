"""
Receipts of consent, and the chain of commitments that binds them to a recording.

A receipt is signed by the server (Ed25519 over `Receipt.signed_bytes`) and given to
the speaker together with its salt.  What everybody may see is its commitment,
SHA-256(salt || signed bytes): it says nothing of who or what, and stays when salt
and receipt are erased.  The chain's head is

    head(0) = SHA-256("parley-consent-chain-1/" recording_id)
    head(i) = SHA-256(head(i-1) || commitment(i))
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final, Self

from .json_documents import Reading, check_schema
from .recording import ConsentScope, RecordingId

RECEIPT_SCHEMA: Final = 1
SALT_BYTES: Final = 32
_CHAIN_LABEL: Final = b"parley-consent-chain-1/"


class ConsentAction(StrEnum):
    """What a receipt proves."""

    GRANT = "grant"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """
    One answer of one person.

    Args:
        receipt_id: Random.
        stem: Of a grant, and of the withdrawal of it; empty for a refusal.
        at: RFC 3339, UTC, by the server's clock.
    """

    receipt_id: str
    recording_id: str
    space_id: str
    uid: str
    action: ConsentAction
    scopes: tuple[ConsentScope, ...]
    notice_version: str
    notice_lang: str
    stem: str
    at: str

    def to_json(self) -> dict[str, Any]:
        """Return the receipt as an object."""
        return {"schema": RECEIPT_SCHEMA, **asdict(self)}

    def signed_bytes(self) -> bytes:
        """Return what is signed and committed to."""
        return canonical_json(self.to_json())

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """
        Read a receipt.

        Raises:
            InvalidDocument: a field is missing or wrong, or the schema is unknown.
        """
        with Reading("receipt"):
            check_schema(fields, RECEIPT_SCHEMA)
            return cls(
                receipt_id=str(fields["receipt_id"]),
                recording_id=str(fields["recording_id"]),
                space_id=str(fields["space_id"]),
                uid=str(fields["uid"]),
                action=ConsentAction(fields["action"]),
                scopes=tuple(ConsentScope(scope) for scope in fields["scopes"]),
                notice_version=str(fields["notice_version"]),
                notice_lang=str(fields["notice_lang"]),
                stem=str(fields["stem"]),
                at=str(fields["at"]),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedReceipt:
    """
    What a speaker downloads: the opened commitment.

    Args:
        salt: Hex, `SALT_BYTES` long.
        key_id: Of the public key, see `key_id`.
        signature: Base64url without padding, of `Receipt.signed_bytes`.
    """

    receipt: Receipt
    salt: str
    key_id: str
    signature: str

    @property
    def commitment(self) -> str:
        """Hex of the commitment that stands in the chain."""
        return commitment(bytes.fromhex(self.salt), self.receipt.signed_bytes())

    def to_json(self) -> dict[str, Any]:
        """Return the object that is downloaded."""
        return {
            "receipt": self.receipt.to_json(),
            "salt": self.salt,
            "key_id": self.key_id,
            "signature": self.signature,
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Self:
        """
        Read a downloaded receipt; nothing of it is verified yet.

        Raises:
            InvalidDocument: a field is missing or wrong.
        """
        with Reading("signed receipt"):
            bytes.fromhex(fields["salt"])
            return cls(
                receipt=Receipt.from_json(fields["receipt"]),
                salt=str(fields["salt"]),
                key_id=str(fields["key_id"]),
                signature=str(fields["signature"]),
            )


def canonical_json(value: Mapping[str, Any]) -> bytes:
    """Return the one encoding that is signed: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def commitment(salt: bytes, receipt: bytes) -> str:
    """Return hex of the commitment to a receipt's signed bytes."""
    return hashlib.sha256(salt + receipt).hexdigest()


def chain_head(recording_id: RecordingId, commitments: Iterable[str]) -> str:
    """
    Return hex of the head over `commitments` (hex), oldest first.

    Raises:
        ValueError: a commitment is not hex.
    """
    head = hashlib.sha256(_CHAIN_LABEL + recording_id.encode()).digest()
    for link in commitments:
        head = hashlib.sha256(head + bytes.fromhex(link)).digest()
    return head.hex()


def key_id(public_key: bytes) -> str:
    """Return the id of a raw Ed25519 public key (32 bytes)."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def to_base64url(data: bytes) -> str:
    """Return base64url without padding (RFC 7515, 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """
    Read base64url without padding.

    Raises:
        ValueError: it is none.
    """
    return base64.b64decode(
        text + "=" * (-len(text) % 4), altchars=b"-_", validate=True
    )

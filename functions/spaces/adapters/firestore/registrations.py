"""Devices and whose their push tokens are, in Firestore."""

import hashlib
from collections.abc import Mapping
from typing import Any

from google.cloud import firestore

from spaces_contract.ids import UserId

from ...domain.push import Platform
from ...domain.registration import (
    MAX_DEVICES,
    DeviceKey,
    Registered,
    Registration,
)
from ...service.people_ports import Register
from .client import run_transaction
from .codec import Document, required_instant
from .profiles import user_path

TOKENS = "push_tokens"


class FirestoreRegistrationStore:
    """`RegistrationStore` on `users/{uid}/devices/{id}` and `push_tokens/{digest}`."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def put(self, device: Registration, decide: Register) -> Registration:
        """Keep devices and tokens in step; see `RegistrationStore`."""
        ref = self._device_ref(device.key)

        def body(transaction: firestore.Transaction) -> Registration:
            stored = _read(device.key, ref.get(transaction=transaction).to_dict())
            owner = self._owner(device.token, transaction)
            new = stored is None
            oldest = self._oldest(device.key.user_id, transaction) if new else ()
            decided = decide(stored, owner, oldest)
            if decided.device != stored:
                transaction.set(ref, _to_doc(decided.device))
            self._forget(decided, transaction)
            if device.token and owner != device.key:
                owned = {"uid": device.key.user_id, "device_id": device.key.device_id}
                transaction.set(self._token_ref(device.token), owned)
            return decided.device

        return run_transaction(self._client, body)[0]

    def delete(self, key: DeviceKey) -> None:
        """Delete the device, and its token if it is still its own."""
        ref = self._device_ref(key)

        def body(transaction: firestore.Transaction) -> None:
            stored = _read(key, ref.get(transaction=transaction).to_dict())
            if stored is None:
                return
            if self._owner(stored.token, transaction) == key:
                transaction.delete(self._token_ref(stored.token))
            transaction.delete(ref)

        run_transaction(self._client, body)

    def _forget(self, decided: Registered, transaction: firestore.Transaction) -> None:
        gone, crowded_out = decided.evicted, decided.crowded_out
        tokens = [decided.freed, crowded_out.token if crowded_out else None]
        for key in (gone, crowded_out.key if crowded_out else None):
            if key is not None:
                transaction.delete(self._device_ref(key))
        for token in filter(None, tokens):
            transaction.delete(self._token_ref(token))

    def _oldest(
        self, user_id: UserId, transaction: firestore.Transaction
    ) -> list[Registration]:
        devices = self._client.collection(f"{user_path(user_id)}/devices")
        query = devices.order_by("updated_at").limit(MAX_DEVICES)
        found = (
            _read(DeviceKey(user_id, doc.id), doc.to_dict())
            for doc in query.stream(transaction=transaction)
        )
        return [each for each in found if each is not None]

    def _owner(
        self, token: str, transaction: firestore.Transaction
    ) -> DeviceKey | None:
        if not token:
            return None
        fields = self._token_ref(token).get(transaction=transaction).to_dict()
        if fields is None:
            return None
        return DeviceKey(UserId(fields["uid"]), fields["device_id"])

    def _device_ref(self, key: DeviceKey) -> Any:
        return self._client.document(
            f"{user_path(key.user_id)}/devices/{key.device_id}"
        )

    def _token_ref(self, token: str) -> Any:
        # A digest: tokens are longer than an id may be, and no id is a secret.
        digest = hashlib.sha256(token.encode()).hexdigest()
        return self._client.document(f"{TOKENS}/{digest}")


def _to_doc(device: Registration) -> Document:
    return {
        "uid": device.key.user_id,
        "token": device.token,
        "platform": device.platform.value,
        "app_version": device.app_version,
        "locale": device.locale,
        "time_zone": device.time_zone,
        "updated_at": device.updated_at,
    }


def _read(key: DeviceKey, doc: Mapping[str, Any] | None) -> Registration | None:
    if doc is None:
        return None
    return Registration(
        key=key,
        token=doc["token"],
        platform=Platform(doc["platform"]),
        app_version=doc["app_version"],
        locale=doc["locale"],
        time_zone=doc["time_zone"],
        updated_at=required_instant(doc["updated_at"]),
    )

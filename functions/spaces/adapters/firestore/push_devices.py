"""People's devices as pushes need them, in Firestore."""

import itertools
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, Final

from google.api_core import exceptions
from google.cloud import firestore

from spaces_contract.ids import UserId

from ...domain.push import Device, Platform
from .client import dependency_errors
from .codec import EPOCH, revision_of
from .profiles import user_path

DEVICES: Final = "devices"
AT_ONCE: Final = 8  # queries in flight: each is mostly waiting


class FirestoreDeviceStore:
    """`DeviceStore` on `users/{uid}/devices/{device_id}`."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def of(self, user_ids: Sequence[UserId]) -> Sequence[Device]:
        """Query each person's devices, a few at a time; see `DeviceStore`."""
        if len(user_ids) < 2:
            return list(itertools.chain.from_iterable(map(self._of, user_ids)))
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="devices") as pool:
            return list(itertools.chain.from_iterable(pool.map(self._of, user_ids)))

    def drop(self, device: Device) -> None:
        """Delete one document, if it is the one that was read; see `DeviceStore`."""
        path = f"{user_path(device.user_id)}/{DEVICES}/{device.device_id}"
        option = self._client.write_option(
            last_update_time=_update_time(device.revision)
        )
        with dependency_errors():
            try:
                self._client.document(path).delete(option)
            except (exceptions.FailedPrecondition, exceptions.NotFound):
                return  # a new token, or gone already

    def _of(self, user_id: UserId) -> Sequence[Device]:
        devices = self._client.collection(f"{user_path(user_id)}/{DEVICES}")
        with dependency_errors():
            return list(_readable(user_id, devices.stream()))


def _readable(user_id: UserId, docs: Iterable[Any]) -> Iterable[Device]:
    for doc in docs:
        fields = doc.to_dict() or {}
        if fields.get("token"):
            yield Device(
                user_id=user_id,
                device_id=doc.id,
                token=fields["token"],
                platform=Platform(fields["platform"]),
                locale=fields.get("locale") or "en",
                time_zone=fields.get("time_zone") or "UTC",
                revision=revision_of(doc.update_time),
            )


def _update_time(revision: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(revision, 16))

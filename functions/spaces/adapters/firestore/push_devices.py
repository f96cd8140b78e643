"""People's devices as pushes need them, in Firestore."""

import itertools
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract.ids import UserId

from ...domain.push import Device, Platform
from .client import dependency_errors
from .codec import EPOCH, revision_of
from .profiles import user_path

DEVICES: Final = "devices"
MAX_IN: Final = 30  # people whom Firestore takes in one query
AT_ONCE: Final = 4  # queries in flight: each is mostly waiting


class FirestoreDeviceStore:
    """`DeviceStore` on `users/{uid}/devices/{device_id}`, found by `uid` in all."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def of(self, user_ids: Sequence[UserId]) -> Sequence[Device]:
        """Query for 30 people at a time, a few queries at once; see `DeviceStore`."""
        groups = [
            user_ids[start : start + MAX_IN]
            for start in range(0, len(user_ids), MAX_IN)
        ]
        if len(groups) < 2:
            return list(itertools.chain.from_iterable(map(self._of, groups)))
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="devices") as pool:
            return list(itertools.chain.from_iterable(pool.map(self._of, groups)))

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

    def _of(self, user_ids: Sequence[UserId]) -> Sequence[Device]:
        theirs = FieldFilter("uid", "in", list(user_ids))
        query = self._client.collection_group(DEVICES).where(filter=theirs)
        with dependency_errors():
            return list(_readable(query.stream()))


def _readable(docs: Iterable[Any]) -> Iterable[Device]:
    for doc in docs:
        fields = doc.to_dict() or {}
        if fields.get("token"):
            yield Device(
                user_id=UserId(fields["uid"]),
                device_id=doc.id,
                token=fields["token"],
                platform=Platform(fields["platform"]),
                locale=fields.get("locale") or "en",
                time_zone=fields.get("time_zone") or "UTC",
                # Raw in answers about collection groups, unlike in all others.
                revision=revision_of(doc.update_time.ToDatetime(tzinfo=UTC)),
            )


def _update_time(revision: str) -> datetime:
    return EPOCH + timedelta(microseconds=int(revision, 16))

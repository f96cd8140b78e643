"""Which workload runs a Space, in Firestore."""

from typing import Any

from google.cloud import firestore

from spaces_contract import paths
from spaces_contract.ids import SpaceId

from ...service.ports import Launched
from .client import dependency_errors, run_transaction

WORKLOAD = "workload"


class FirestoreLaunchStore:
    """
    `LaunchStore` on Firestore.

    It has a document beside the worker's own, whose update times are the worker's
    fence and are not to move by anybody else's hand while all is well.
    """

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def get(self, space_id: SpaceId) -> Launched | None:
        """Read one document; see `LaunchStore`."""
        with dependency_errors():
            return _read(self._ref(space_id).get())

    def put(self, space_id: SpaceId, launched: Launched) -> Launched | None:
        """Compare epochs in a transaction; see `LaunchStore`."""
        ref = self._ref(space_id)

        def body(transaction: firestore.Transaction) -> Launched | None:
            before = _read(ref.get(transaction=transaction))
            if before is not None and before.epoch > launched.epoch:
                return launched
            fields = {"epoch": launched.epoch, "ref": launched.ref}
            if before is None or before != launched:
                transaction.set(ref, fields)
            # A launcher may name its workloads by Space alone.
            return None if before is None or before.ref == launched.ref else before

        superseded, _ = run_transaction(self._client, body)
        return superseded

    def clear(self, space_id: SpaceId) -> None:
        """Delete the document; see `LaunchStore`."""
        with dependency_errors():
            self._ref(space_id).delete()

    def _ref(self, space_id: SpaceId) -> Any:
        path = f"{paths.space(space_id)}/{paths.RUNTIME}/{WORKLOAD}"
        return self._client.document(path)


def _read(doc: Any) -> Launched | None:
    fields = doc.to_dict()
    return None if fields is None else Launched(fields["epoch"], fields["ref"])

"""Reports in Firestore."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore import FieldFilter

from spaces_contract import paths

from ...domain.errors import ReportNotFound, SpaceNotFound
from ...domain.report import Report, Resolution
from ...service.ports import Cursor
from .client import dependency_errors, run_transaction
from .stage_codec import report_from_doc, report_to_doc

REPORTS: Final = "reports"


class FirestoreReportStore:
    """`ReportStore` and `ReportDesk` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def put(self, report: Report) -> None:
        """Create one document; see `ReportStore`."""
        with dependency_errors():
            space = self._client.document(paths.space(report.space_id))
            if not space.get(["state"]).exists:
                raise SpaceNotFound
            try:
                self._client.document(f"{REPORTS}/{report.id}").create(
                    report_to_doc(report)
                )
            except exceptions.AlreadyExists:
                return

    def page(
        self, *, is_open: bool, limit: int, after: Cursor | None
    ) -> Sequence[Report]:
        """Query by state and time; see `ReportDesk`."""
        reports = self._client.collection(REPORTS)
        query = (
            reports.where(filter=FieldFilter("is_open", "==", is_open))
            .order_by("created_at")
            .order_by("__name__")
            .limit(limit)
        )
        if after is not None:
            ref = reports.document(after.id)
            query = query.start_after({"created_at": after.at, "__name__": ref})
        with dependency_errors():
            return [
                report_from_doc(doc.id, doc.to_dict() or {}) for doc in query.stream()
            ]

    def resolve(
        self, report_id: str, decide: Callable[[Report], Resolution | None]
    ) -> Report:
        """Read and write one document in a transaction; see `ReportDesk`."""
        ref = self._client.collection(REPORTS).document(report_id)

        def body(transaction: firestore.Transaction) -> Report:
            fields = ref.get(transaction=transaction).to_dict()
            if fields is None:
                raise ReportNotFound
            report = report_from_doc(report_id, fields)
            resolution = decide(report)
            if resolution is None:
                return report
            resolved = replace(report, resolution=resolution)
            transaction.set(ref, report_to_doc(resolved))
            return resolved

        return run_transaction(self._client, body)[0]

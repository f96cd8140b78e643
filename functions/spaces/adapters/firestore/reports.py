"""Reports in Firestore."""

from google.api_core import exceptions
from google.cloud import firestore

from spaces_contract import paths

from ...domain.errors import SpaceNotFound
from ...domain.report import Report
from .client import dependency_errors
from .stage_codec import report_to_doc


class FirestoreReportStore:
    """`ReportStore` on Firestore."""

    def __init__(self, client: firestore.Client) -> None:
        self._client = client

    def put(self, report: Report) -> None:
        """Create one document; see `ReportStore`."""
        with dependency_errors():
            space = self._client.document(paths.space(report.space_id))
            if not space.get(["state"]).exists:
                raise SpaceNotFound
            try:
                self._client.document(f"reports/{report.id}").create(
                    report_to_doc(report)
                )
            except exceptions.AlreadyExists:
                return

"""
Raw protobuf classes of google.firestore.v1, and the forms of its timestamps.

The classes come from the client library's own package (`X.pb()`), so that server
and client cannot disagree and no code generation is needed.
"""

from typing import Any, Final, TypeAlias

from google.cloud.firestore_v1.types import document as _document
from google.cloud.firestore_v1.types import firestore as _firestore
from google.cloud.firestore_v1.types import query as _query
from google.cloud.firestore_v1.types import write as _write
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # no types

# Protobuf publishes no types for classes that are reached through proto-plus.
Message: TypeAlias = Any

Document: Final[Message] = _document.Document.pb()
Value: Final[Message] = _document.Value.pb()
StructuredQuery: Final[Message] = _query.StructuredQuery.pb()
Write: Final[Message] = _write.Write.pb()
WriteResult: Final[Message] = _write.WriteResult.pb()

CommitRequest: Final[Message] = _firestore.CommitRequest.pb()
CommitResponse: Final[Message] = _firestore.CommitResponse.pb()
BatchWriteRequest: Final[Message] = _firestore.BatchWriteRequest.pb()
BatchWriteResponse: Final[Message] = _firestore.BatchWriteResponse.pb()
BatchGetRequest: Final[Message] = _firestore.BatchGetDocumentsRequest.pb()
BatchGetResponse: Final[Message] = _firestore.BatchGetDocumentsResponse.pb()
RunQueryRequest: Final[Message] = _firestore.RunQueryRequest.pb()
RunQueryResponse: Final[Message] = _firestore.RunQueryResponse.pb()
AggregationRequest: Final[Message] = _firestore.RunAggregationQueryRequest.pb()
AggregationResponse: Final[Message] = _firestore.RunAggregationQueryResponse.pb()
BeginRequest: Final[Message] = _firestore.BeginTransactionRequest.pb()
BeginResponse: Final[Message] = _firestore.BeginTransactionResponse.pb()
RollbackRequest: Final[Message] = _firestore.RollbackRequest.pb()
ListDocumentsRequest: Final[Message] = _firestore.ListDocumentsRequest.pb()
ListDocumentsResponse: Final[Message] = _firestore.ListDocumentsResponse.pb()
ListCollectionIdsRequest: Final[Message] = _firestore.ListCollectionIdsRequest.pb()
ListCollectionIdsResponse: Final[Message] = _firestore.ListCollectionIdsResponse.pb()
ListenRequest: Final[Message] = _firestore.ListenRequest.pb()
ListenResponse: Final[Message] = _firestore.ListenResponse.pb()

__all__ = ["Message", "Status", "Timestamp"]

SERVICE: Final = "google.firestore.v1.Firestore"
_US_PER_S: Final = 1_000_000


def to_timestamp(time_us: int) -> Timestamp:
    """Return the protobuf form of microseconds since the epoch."""
    seconds, rest = divmod(time_us, _US_PER_S)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def from_timestamp(timestamp: Timestamp) -> int:
    """Return microseconds since the epoch, rounded down, as Firestore stores them."""
    return timestamp.seconds * _US_PER_S + timestamp.nanos // 1000

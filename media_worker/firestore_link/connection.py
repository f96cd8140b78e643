"""A channel to Firestore that comes back soon after an outage."""

from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import Any, Final

import grpc
import grpc.aio

from .protocol import (
    SERVICE,
    BatchGetDocumentsRequest,
    BatchGetDocumentsResponse,
    BeginTransactionRequest,
    BeginTransactionResponse,
    CommitRequest,
    CommitResponse,
    Document,
    ListenRequest,
    ListenResponse,
    RollbackRequest,
    TransactionOptions,
    Write,
)

CALL_TIMEOUT_S: Final = 5.0
GOOGLE_HOST: Final = "firestore.googleapis.com:443"
SCOPES: Final = ("https://www.googleapis.com/auth/datastore",)
# gRPC's default lets a channel wait up to 120 s before it dials again.
CHANNEL_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)

# What a call raises; `code()` says whether it is worth another try.
CallFailed = grpc.aio.AioRpcError


class Firestore:
    """
    One database.  Open until `aclose`; every call raises `CallFailed`.

    Args:
        metadata: What every call must carry.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        project_id: str,
        metadata: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.database = f"projects/{project_id}/databases/(default)"
        self._metadata = (("google-cloud-resource-prefix", self.database), *metadata)
        self._channel = channel
        self._begin = channel.unary_unary(
            f"{SERVICE}/BeginTransaction",
            request_serializer=BeginTransactionRequest.serialize,
            response_deserializer=BeginTransactionResponse.deserialize,
        )
        self._rollback = channel.unary_unary(
            f"{SERVICE}/Rollback",
            request_serializer=RollbackRequest.serialize,
            response_deserializer=None,  # empty
        )
        self._commit = channel.unary_unary(
            f"{SERVICE}/Commit",
            request_serializer=CommitRequest.serialize,
            response_deserializer=CommitResponse.deserialize,
        )
        self._batch_get = channel.unary_stream(
            f"{SERVICE}/BatchGetDocuments",
            request_serializer=BatchGetDocumentsRequest.serialize,
            response_deserializer=BatchGetDocumentsResponse.deserialize,
        )
        self._listen = channel.stream_stream(
            f"{SERVICE}/Listen",
            request_serializer=ListenRequest.serialize,
            response_deserializer=ListenResponse.deserialize,
        )

    @property
    def documents(self) -> str:
        """Parent of all top-level collections."""
        return f"{self.database}/documents"

    def name(self, path: str) -> str:
        """Return the full name of the document at `path`."""
        return f"{self.documents}/{path}"

    async def begin(self) -> bytes:
        """Begin a read-write transaction; return its id."""
        request = BeginTransactionRequest(
            database=self.database, options=TransactionOptions(read_write={})
        )
        begun = await self._begin(
            request, timeout=CALL_TIMEOUT_S, metadata=self._metadata
        )
        return bytes(begun.transaction)

    async def rollback(self, transaction: bytes) -> None:
        """Give a transaction up."""
        request = RollbackRequest(database=self.database, transaction=transaction)
        await self._rollback(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)

    async def read(
        self, paths: Sequence[str], *, transaction: bytes | None = None
    ) -> dict[str, Document]:
        """Return the documents at `paths` by path, without those that do not exist."""
        request = BatchGetDocumentsRequest(
            database=self.database,
            documents=[self.name(path) for path in paths],
            transaction=transaction,
        )
        responses = self._batch_get(
            request, timeout=CALL_TIMEOUT_S, metadata=self._metadata
        )
        return {
            response.found.name.removeprefix(self.documents + "/"): response.found
            async for response in responses
            if response.found.name
        }

    async def commit(
        self, writes: Sequence[Write], *, transaction: bytes | None = None
    ) -> Any:
        """Write all or nothing; return the update time of the first document."""
        request = CommitRequest(
            database=self.database, writes=list(writes), transaction=transaction
        )
        committed = await self._commit(
            request, timeout=CALL_TIMEOUT_S, metadata=self._metadata
        )
        return committed.write_results[0].update_time

    def listen(
        self, requests: AsyncIterator[ListenRequest]
    ) -> AsyncIterable[ListenResponse]:
        """Open a Listen stream; it is over when either side ends."""
        responses: AsyncIterable[ListenResponse] = self._listen(
            requests, metadata=self._metadata
        )
        return responses

    async def aclose(self) -> None:
        """Close the channel and all calls on it; may be called again."""
        await self._channel.close(grace=None)


def connect(project_id: str, *, emulator_host: str | None) -> Firestore:
    """
    Return a connection; it dials with the first call.

    Args:
        emulator_host: "host:port" of an embedded server; None is Google's own, with
            the credentials of the environment.
    """
    if emulator_host is None:
        channel = grpc.aio.secure_channel(
            GOOGLE_HOST, _credentials(), options=CHANNEL_OPTIONS
        )
        return Firestore(channel, project_id)
    channel = grpc.aio.insecure_channel(emulator_host, options=CHANNEL_OPTIONS)
    # What emulators take for "may do everything".
    return Firestore(channel, project_id, [("authorization", "Bearer owner")])


def _credentials() -> grpc.ChannelCredentials:
    # Only production needs them, and they need an HTTP library.
    import google.auth
    from google.auth.transport.grpc import AuthMetadataPlugin
    from google.auth.transport.requests import Request

    credentials, _ = google.auth.default(scopes=SCOPES)
    plugin = AuthMetadataPlugin(credentials, Request())  # type: ignore[no-untyped-call]  # no types published
    return grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(), grpc.metadata_call_credentials(plugin)
    )

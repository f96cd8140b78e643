"""Which method of the wire is served by what, and how its errors are told."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

import grpc
from google.protobuf.message import DecodeError

from ..wire.call import Call, framed
from ..wire.connection import Route
from ..wire.one_request import one_request
from . import protocol
from .errors import StatusError, invalid
from .listen import ListenContext, ListenStream
from .operations import GET_METHOD, RESET_METHOD, OperationCounter
from .protocol import Message
from .service import FirestoreService

logger = logging.getLogger(__name__)

Unary = Callable[[Message], Awaitable[Message]]
Streaming = Callable[[Message], AsyncIterator[Message]]
_INTERNAL: Final = "The embedded Firestore failed; its log says why."


def firestore_routes(
    service: FirestoreService, listen: ListenContext
) -> dict[str, Route]:
    """Return the routes of `google.firestore.v1.Firestore`."""
    unary: dict[str, tuple[Unary, Message]] = {
        "BeginTransaction": (service.begin_transaction, protocol.BeginRequest),
        "Rollback": (service.rollback, protocol.RollbackRequest),
        "Commit": (service.commit, protocol.CommitRequest),
        "BatchWrite": (service.batch_write, protocol.BatchWriteRequest),
        "ListDocuments": (service.list_documents, protocol.ListDocumentsRequest),
        "ListCollectionIds": (
            service.list_collection_ids,
            protocol.ListCollectionIdsRequest,
        ),
    }
    streaming: dict[str, tuple[Streaming, Message]] = {
        "BatchGetDocuments": (service.batch_get_documents, protocol.BatchGetRequest),
        "RunQuery": (service.run_query, protocol.RunQueryRequest),
        "RunAggregationQuery": (
            service.run_aggregation_query,
            protocol.AggregationRequest,
        ),
    }
    routes = {name: _unary(name, *method) for name, method in unary.items()}
    routes |= {name: _streaming(name, *method) for name, method in streaming.items()}
    routes["Listen"] = lambda call: _Listener(ListenStream(listen, call), call)
    return {f"/{protocol.SERVICE}/{name}": route for name, route in routes.items()}


def operations_routes(counter: OperationCounter) -> dict[str, Route]:
    """Return the routes that tell the operation counters as JSON."""

    async def get(data: bytes, call: Call) -> None:
        call.send(framed(json.dumps(counter.snapshot()).encode()))

    async def reset(data: bytes, call: Call) -> None:
        before = counter.snapshot()
        counter.reset()
        call.send(framed(json.dumps(before).encode()))

    return {
        GET_METHOD: one_request("operations", get),
        RESET_METHOD: one_request("operations", reset),
    }


def _unary(name: str, method: Unary, request: Message) -> Route:
    async def serve(data: bytes, call: Call) -> None:
        try:
            response = await method(_parse(request, data))
            call.send(framed(response.SerializeToString()))
        except Exception as error:
            _fail(call, name, error)

    return one_request(name, serve)


def _streaming(name: str, method: Streaming, request: Message) -> Route:
    async def serve(data: bytes, call: Call) -> None:
        try:
            async with aclosing(method(_parse(request, data))) as responses:  # type: ignore[type-var]  # a generator, typed as an iterator
                async for response in responses:
                    call.send(framed(response.SerializeToString()))
                    if not call.ready:
                        await call.drained()
        except Exception as error:
            _fail(call, name, error)

    return one_request(name, serve)


class _Listener:
    """A Listen call: the stream's requests, and how its errors end it."""

    def __init__(self, stream: ListenStream, call: Call) -> None:
        self._stream = stream
        self._call = call

    def message(self, data: bytes) -> None:
        """Take a request; a bad one ends the call."""
        try:
            self._stream.request(_parse(protocol.ListenRequest, data))
        except Exception as error:
            _fail(self._call, "Listen", error)

    def half_closed(self) -> None:
        """End the call: a client that asks no more has left."""
        self._call.finish()

    def writable(self) -> None:
        """Send what had to wait."""
        self._stream.wake()

    def closed(self) -> None:
        """Listen no more."""
        self._stream.close()


def _parse(request: Message, data: bytes) -> Message:
    try:
        return request.FromString(data)
    except DecodeError as error:
        raise invalid("The request cannot be parsed.") from error


def _fail(call: Call, name: str, error: Exception) -> None:
    if isinstance(error, StatusError):
        call.finish(error.code, error.detail)
        return
    logger.error("call failed", extra={"rpc": name}, exc_info=error)
    call.finish(grpc.StatusCode.INTERNAL, _INTERNAL)

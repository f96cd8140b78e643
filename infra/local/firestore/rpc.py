"""Wiring of RPC methods to a gRPC server without generated code."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, Final

import grpc
from grpc import aio

from . import protocol
from .errors import StatusError
from .listen import ListenContext, ListenStream
from .operations import GET_METHOD, RESET_METHOD, OperationCounter
from .protocol import Message
from .service import FirestoreService

logger = logging.getLogger(__name__)

Unary = Callable[[Message], Awaitable[Message]]
Streaming = Callable[[Message], AsyncIterator[Message]]
_CONTEXT = aio.ServicerContext[Any, Any]


def firestore_handler(
    service: FirestoreService, listen: ListenContext
) -> "grpc.GenericRpcHandler[Any, Any]":
    """Return the handler of `google.firestore.v1.Firestore`."""
    handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        "Listen": grpc.stream_stream_rpc_method_handler(
            _listen(listen), request_deserializer=protocol.ListenRequest.FromString
        )
    }
    for name, (method, request) in _unary_methods(service).items():
        handlers[name] = grpc.unary_unary_rpc_method_handler(
            _unary(name, method),
            request_deserializer=request.FromString,
            response_serializer=_serialize,
        )
    for name, (stream, request) in _streaming_methods(service).items():
        handlers[name] = grpc.unary_stream_rpc_method_handler(
            _streaming(name, stream),
            request_deserializer=request.FromString,
            response_serializer=_serialize,
        )
    return grpc.method_handlers_generic_handler(protocol.SERVICE, handlers)


def _unary_methods(service: FirestoreService) -> Mapping[str, tuple[Unary, Message]]:
    return {
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


def _streaming_methods(
    service: FirestoreService,
) -> Mapping[str, tuple[Streaming, Message]]:
    return {
        "BatchGetDocuments": (service.batch_get_documents, protocol.BatchGetRequest),
        "RunQuery": (service.run_query, protocol.RunQueryRequest),
        "RunAggregationQuery": (
            service.run_aggregation_query,
            protocol.AggregationRequest,
        ),
    }


def operations_handler(counter: OperationCounter) -> "grpc.GenericRpcHandler[Any, Any]":
    """Return the handler that tells the operation counters as JSON."""

    async def get(request: bytes, context: _CONTEXT) -> bytes:
        return json.dumps(counter.snapshot()).encode()

    async def reset(request: bytes, context: _CONTEXT) -> bytes:
        before = counter.snapshot()
        counter.reset()
        return json.dumps(before).encode()

    service = GET_METHOD.split("/")[1]
    methods = {GET_METHOD: get, RESET_METHOD: reset}
    return grpc.method_handlers_generic_handler(
        service,
        {
            name.rsplit("/", 1)[1]: grpc.unary_unary_rpc_method_handler(method)
            for name, method in methods.items()
        },
    )


def _serialize(message: Message) -> bytes:
    encoded: bytes = message.SerializeToString()
    return encoded


_INTERNAL: Final = "The embedded Firestore failed; its log says why."


def _unary(name: str, method: Unary) -> Callable[[Message, _CONTEXT], Any]:
    async def handle(request: Message, context: _CONTEXT) -> Message:
        try:
            return await method(request)
        except StatusError as error:
            await context.abort(error.code, error.detail)
        except Exception:
            logger.exception("call failed", extra={"rpc": name})
            await context.abort(grpc.StatusCode.INTERNAL, _INTERNAL)

    return handle


def _streaming(name: str, method: Streaming) -> Callable[[Message, _CONTEXT], Any]:
    async def handle(request: Message, context: _CONTEXT) -> None:
        try:
            async with aclosing(method(request)) as responses:  # type: ignore[type-var]  # a generator, typed as an iterator
                async for response in responses:
                    await context.write(response)
        except StatusError as error:
            await context.abort(error.code, error.detail)
        except Exception:
            logger.exception("call failed", extra={"rpc": name})
            await context.abort(grpc.StatusCode.INTERNAL, _INTERNAL)

    return handle


def _listen(
    shared: ListenContext,
) -> Callable[[AsyncIterator[Message], _CONTEXT], Any]:
    async def handle(requests: AsyncIterator[Message], context: _CONTEXT) -> None:
        stream = ListenStream(shared)
        reader = asyncio.create_task(_take(requests, stream), name="listen-requests")
        sender = asyncio.create_task(_send(stream, context), name="listen-responses")
        try:
            done, _ = await asyncio.wait(
                (reader, sender), return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
        except StatusError as error:
            await context.abort(error.code, error.detail)
        finally:
            for task in (reader, sender):
                task.cancel()
            await asyncio.wait((reader, sender))
            stream.close()

    return handle


async def _take(requests: AsyncIterator[Message], stream: ListenStream) -> None:
    async for request in requests:
        stream.request(request)


async def _send(stream: ListenStream, context: _CONTEXT) -> None:
    async with aclosing(stream.responses()) as responses:  # type: ignore[type-var]  # a generator, typed as an iterator
        async for response in responses:
            await context.write(response)

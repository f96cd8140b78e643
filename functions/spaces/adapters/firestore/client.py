"""
A Firestore client that gives up in seconds, and transactions upon it.

The stock client retries a dead server in silence for 60 s and reconnects with
pauses of up to two minutes.  A request must be told 503 long before that.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, TypeVar

import grpc
from google.api_core import exceptions, gapic_v1, retry
from google.cloud import firestore
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import (
    FirestoreGrpcTransport,
)

from spaces_tracing.spans import Fact, SpanKind, span

from ...domain.errors import Contended, DependencyUnavailable

T = TypeVar("T")

RPC_TIMEOUT_S: Final = 3.0
RETRY_FOR_S: Final = 3.0  # a server that restarts is back by then
MAX_ATTEMPTS: Final = 6
BACKOFF_S: Final = 0.02
CHANNEL_OPTIONS: Final = (
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
DEPENDENCY_DOWN: Final = (
    exceptions.ServiceUnavailable,
    exceptions.DeadlineExceeded,
    exceptions.ResourceExhausted,
    exceptions.InternalServerError,
    exceptions.Cancelled,
    exceptions.Unknown,
    exceptions.RetryError,
)

_bounded_retry = retry.Retry(
    predicate=retry.if_exception_type(exceptions.ServiceUnavailable),
    initial=0.1,
    maximum=0.5,
    multiplier=1.5,
    timeout=RETRY_FOR_S,
)


class BoundedTransport(FirestoreGrpcTransport):
    """The stock transport with our own bounds on every method."""

    def _prep_wrapped_messages(self, client_info: Any) -> None:
        super()._prep_wrapped_messages(client_info)  # type: ignore[no-untyped-call]  # no types
        self._wrapped_methods = {
            method: gapic_v1.method.wrap_method(  # type: ignore[no-untyped-call]  # no types
                method,
                default_retry=_bounded_retry,
                default_timeout=RPC_TIMEOUT_S,
                client_info=client_info,
            )
            for method in self._wrapped_methods
        }


class BoundedClient(firestore.Client):
    """
    The stock client over `BoundedTransport`.

    This overrides one private property, as the library leaves no other way to the
    transport that a transaction uses; a test pins what it relies on.
    """

    @property
    def _firestore_api(self) -> FirestoreClient:
        if self._firestore_api_internal is None:
            self._transport = BoundedTransport(
                host=self._target, channel=self._open_channel()
            )
            self._firestore_api_internal = FirestoreClient(transport=self._transport)
        return self._firestore_api_internal

    def _open_channel(self) -> grpc.Channel:
        if self._emulator_host is not None:
            return grpc.insecure_channel(self._emulator_host, options=CHANNEL_OPTIONS)
        return BoundedTransport.create_channel(
            self._target, credentials=self._credentials, options=CHANNEL_OPTIONS
        )


@contextmanager
def dependency_errors() -> Iterator[None]:
    """
    Say in the domain's words what went wrong with Firestore.

    Raises:
        DependencyUnavailable: it does not answer, or not in time.
        Contended: it gave up on a conflict.
    """
    try:
        yield
    except DEPENDENCY_DOWN as error:
        raise DependencyUnavailable from error
    except exceptions.Aborted as error:
        raise Contended from error
    except AttributeError as error:
        # Of an answer that breaks off half-way the library asks whether to go on, and
        # looks for that where its transport has nothing.
        if isinstance(error.__context__, DEPENDENCY_DOWN):
            raise DependencyUnavailable from error
        raise


def run_transaction(
    client: firestore.Client, body: Callable[[firestore.Transaction], T]
) -> tuple[T, datetime | None]:
    """
    Run `body` in a transaction; return its result and its first write's update time.

    The library retries a commit that conflicts; reads may conflict as well where
    locks are pessimistic, as in production, so that everything is tried again here.

    A write that names a version to the outside is therefore the body's first.

    Raises:
        Contended: others changed the documents all the while.
        DependencyUnavailable: Firestore does not answer.
    """
    attempt = firestore.transactional(body)
    with span("firestore transaction", SpanKind.CLIENT) as traced:
        for number in range(MAX_ATTEMPTS):
            traced.tell({Fact.ATTEMPTS: number + 1})
            transaction = client.transaction()
            try:
                with dependency_errors():
                    result: T = attempt(transaction)
                written = transaction.write_results
                at = written[0].update_time if written else None  # None of a delete too
                return result, as_datetime(at) if at is not None else None
            except ValueError as error:
                _raise_unless_contended(error)
            except Contended:
                pass
            back_off(number)
        raise Contended


def _raise_unless_contended(error: ValueError) -> None:
    """
    Look behind the library's bare ValueError.

    It stands for attempts exhausted (then `Aborted` is its cause), and for a rollback
    of a transaction that could not begin, which hides why it could not.
    """
    if isinstance(error.__cause__, exceptions.Aborted):
        return
    if isinstance(error.__context__, DEPENDENCY_DOWN):
        raise DependencyUnavailable from error
    raise error


def as_datetime(update_time: Any) -> datetime:
    """Return a write's time; proto-plus makes it a datetime, whatever its types say."""
    if not isinstance(update_time, datetime):
        raise TypeError(f"an update time came as {type(update_time).__name__}")
    return update_time


def back_off(attempt: int) -> None:
    """Wait a random while, longer with each attempt, so that rivals part."""
    time.sleep(random.uniform(0, BACKOFF_S * 2**attempt))  # noqa: S311 - no secret

"""The bounded Firestore client, as far as it can be seen without a server."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials

from spaces.adapters.firestore.client import (
    RETRY_FOR_S,
    RPC_TIMEOUT_S,
    BoundedClient,
    dependency_errors,
)
from spaces.domain.errors import Contended, DependencyUnavailable


def test_production_has_the_same_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without an emulator the client goes to Google's address, over the bounded transport.
    """
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    client: Any = BoundedClient(
        project="demo-parley",
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
    )

    transport = client._firestore_api.transport
    wrapped: list[Any] = list(transport._wrapped_methods.values())

    assert transport.host == "firestore.googleapis.com:443"
    assert {each._timeout for each in wrapped} == {RPC_TIMEOUT_S}
    assert {each._retry.timeout for each in wrapped} == {RETRY_FOR_S}
    client.close()


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (exceptions.ServiceUnavailable, DependencyUnavailable),
        (exceptions.DeadlineExceeded, DependencyUnavailable),
        (exceptions.ResourceExhausted, DependencyUnavailable),
        (exceptions.Aborted, Contended),
    ],
)
def test_the_librarys_errors_are_translated(
    kind: type[Exception], error: type[Exception]
) -> None:
    """
    Whoever calls a store hears of the domain's errors, never of the library's.
    """
    with pytest.raises(error), dependency_errors():
        raise kind("x")


def test_what_is_our_own_fault_is_not_hidden() -> None:
    """
    A request that Firestore finds wrong is no outage.
    """
    fault: type[Exception] = exceptions.InvalidArgument

    with pytest.raises(fault), dependency_errors():
        raise fault("x")

"""
Firestore's messages and calls, without the client around them.

The package `google.cloud.firestore_v1` imports both of its clients, five transports
and an HTTP library: 11 MB and a third of a second, in a process that shall be small
and start at once.  Its `types` need none of that, so they are imported from the
package without running its `__init__`.
"""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

PACKAGE: Final = "google.cloud.firestore_v1"
SERVICE: Final = "/google.firestore.v1.Firestore"


@contextmanager
def bare_package(name: str) -> Iterator[None]:
    """
    Let submodules of `name` be imported while its `__init__` stays unrun.

    A package that was imported before is left as it is, and one that is imported
    later finds the submodules already there.
    """
    spec = importlib.util.find_spec(name)
    if name in sys.modules or spec is None:
        yield
        return
    sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        yield
    finally:
        del sys.modules[name]


with bare_package(PACKAGE):
    from google.cloud.firestore_v1.types.common import (
        DocumentMask,
        Precondition,
        TransactionOptions,
    )
    from google.cloud.firestore_v1.types.document import ArrayValue, Document, Value
    from google.cloud.firestore_v1.types.firestore import (
        BatchGetDocumentsRequest,
        BatchGetDocumentsResponse,
        BeginTransactionRequest,
        BeginTransactionResponse,
        CommitRequest,
        CommitResponse,
        ListenRequest,
        ListenResponse,
        RollbackRequest,
        Target,
        TargetChange,
    )
    from google.cloud.firestore_v1.types.query import StructuredQuery
    from google.cloud.firestore_v1.types.write import DocumentTransform, Write

__all__ = [
    "ArrayValue",
    "BatchGetDocumentsRequest",
    "BatchGetDocumentsResponse",
    "BeginTransactionRequest",
    "BeginTransactionResponse",
    "CommitRequest",
    "CommitResponse",
    "Document",
    "DocumentMask",
    "DocumentTransform",
    "ListenRequest",
    "ListenResponse",
    "Precondition",
    "RollbackRequest",
    "SERVICE",
    "StructuredQuery",
    "Target",
    "TargetChange",
    "TransactionOptions",
    "Value",
    "Write",
]

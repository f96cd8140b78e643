"""Looking at all that a Firestore has, for tests of what is left of somebody."""

from collections.abc import Iterator
from typing import Any

from spaces.adapters.firestore.client import BoundedClient


def everything(client: BoundedClient) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield path and fields of every document."""
    pending = list(client.collections())
    while pending:
        collection = pending.pop()
        for ref in collection.list_documents():
            fields = ref.get().to_dict()
            if fields is not None:
                yield ref.path, fields
            pending += ref.collections()

"""Reads documents, alone or within a transaction."""

from collections.abc import Sequence
from typing import Final

from google.cloud.firestore_v1.types import BatchGetDocumentsRequest, Document

from .connection import Firestore

CALL_TIMEOUT_S: Final = 5.0


async def read_documents(
    firestore: Firestore, paths: Sequence[str], *, transaction: bytes | None = None
) -> dict[str, Document]:
    """
    Return the documents at `paths` by path; those that do not exist are left out.

    Raises:
        GoogleAPICallError: Firestore cannot be reached just now.
    """
    responses = await firestore.client.batch_get_documents(
        BatchGetDocumentsRequest(
            database=firestore.database,
            documents=[firestore.name(path) for path in paths],
            transaction=transaction,
        ),
        metadata=firestore.metadata,
        timeout=CALL_TIMEOUT_S,
    )
    return {
        response.found.name.removeprefix(firestore.documents + "/"): response.found
        async for response in responses
        if response.found.name
    }

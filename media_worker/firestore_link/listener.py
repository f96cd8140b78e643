"""Keeps one target listened to, over any number of broken streams."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from .connection import CallFailed, Firestore
from .protocol import ListenRequest, StructuredQuery, Target
from .target_view import ListenBroken, TargetView

logger = logging.getLogger(__name__)

TARGET_ID: Final = 1  # one target per stream, so that they break one by one
FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 5.0


class Listener:
    """
    Calls `on_view` with all documents of a target, whenever they have changed.

    No resume tokens: a target holds some dozen documents at most, and a view that
    begins anew cannot have missed a deletion.

    Args:
        on_view: Called on the event loop with raw `Document` messages by name.
    """

    def __init__(
        self,
        firestore: Firestore,
        target: Target,
        on_view: Callable[[dict[str, Any]], None],
    ) -> None:
        self._firestore = firestore
        self._target = target
        self._on_view = on_view
        self._delay_s = FIRST_DELAY_S

    async def run(self) -> None:
        """Listen until cancelled; an outage is waited out."""
        while True:
            try:
                await self._listen()
            except (CallFailed, ListenBroken) as error:
                logger.warning("listen broke", extra={"error": type(error).__name__})
            await asyncio.sleep(self._delay_s)
            self._delay_s = min(LONGEST_DELAY_S, self._delay_s * 2)

    async def _listen(self) -> None:
        view = TargetView(TARGET_ID)
        async for response in self._firestore.listen(self._requests()):
            documents = view.apply(response)
            if documents is not None:
                self._delay_s = FIRST_DELAY_S
                self._on_view(documents)

    async def _requests(self) -> AsyncIterator[ListenRequest]:
        yield ListenRequest(database=self._firestore.database, add_target=self._target)
        await asyncio.Event().wait()  # a stream whose sender ends is over


def document_target(name: str) -> Target:
    """Return a target for one document, by its full name."""
    return Target(
        target_id=TARGET_ID, documents=Target.DocumentsTarget(documents=[name])
    )


def flag_target(parent: str, collection: str, flag: str) -> Target:
    """Return a target for the documents of a collection whose `flag` is true."""
    query = StructuredQuery(
        from_=[StructuredQuery.CollectionSelector(collection_id=collection)],
        where=StructuredQuery.Filter(
            field_filter=StructuredQuery.FieldFilter(
                field=StructuredQuery.FieldReference(field_path=flag),
                op=StructuredQuery.FieldFilter.Operator.EQUAL,
                value={"boolean_value": True},
            )
        ),
    )
    return Target(
        target_id=TARGET_ID,
        query=Target.QueryTarget(parent=parent, structured_query=query),
    )

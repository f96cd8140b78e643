"""Keeps targets listened to together, over any number of broken streams."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from .connection import CallFailed, Firestore
from .protocol import ListenRequest, StructuredQuery, Target
from .target_view import ListenBroken, TargetsView, View

logger = logging.getLogger(__name__)

FIRST_DELAY_S: Final = 0.1
LONGEST_DELAY_S: Final = 5.0


class Listener:
    """
    Calls `on_view` with all documents of its targets, whenever they have changed.

    One stream for all, so that a commit that concerns several shows in one view, and
    a view is not older for one target than for another.  No resume tokens: a target
    holds some dozen documents at most, and a view that begins anew cannot have missed
    a deletion.

    Args:
        targets: Each with an id of its own.
        on_view: Called on the event loop.
    """

    def __init__(
        self,
        firestore: Firestore,
        targets: Sequence[Target],
        on_view: Callable[[View], None],
    ) -> None:
        self._firestore = firestore
        self._targets = targets
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
        followed = TargetsView(target.target_id for target in self._targets)
        async for response in self._firestore.listen(self._requests()):
            view = followed.apply(response)
            if view is not None:
                self._delay_s = FIRST_DELAY_S
                self._on_view(view)

    async def _requests(self) -> AsyncIterator[ListenRequest]:
        for target in self._targets:
            yield ListenRequest(database=self._firestore.database, add_target=target)
        await asyncio.Event().wait()  # a stream whose sender ends is over


def document_target(target_id: int, name: str) -> Target:
    """Return a target for one document, by its full name."""
    return Target(
        target_id=target_id, documents=Target.DocumentsTarget(documents=[name])
    )


def flag_target(target_id: int, parent: str, collection: str, flag: str) -> Target:
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
        target_id=target_id,
        query=Target.QueryTarget(parent=parent, structured_query=query),
    )

"""What happens by itself: expiry, forgetting of history, and new indexes."""

from collections.abc import Callable
from typing import Final

from .errors import StatusError
from .execution import QueryRunner
from .indexes import Catalog, Mode, Scope, single_field
from .mutations import parse_write
from .operations import Kind, OperationCounter
from .paths import Path, decode_key
from .protocol import Value, Write, to_timestamp
from .store import Store
from .values import TIMESTAMP, encode
from .writer import Writer

_CATALOG: Final = "catalog"
_TTL_BATCH: Final = 200


def adopt_catalog(store: Store, catalog: Catalog) -> int:
    """
    Bring index entries in line with a changed indexes file, before serving.

    Returns:
        How many documents were looked at.
    """
    text = store.get_text(_CATALOG) or "{}"
    if text == catalog.text:
        return 0
    previous = Catalog.parse(text)
    looked_at = 0
    store.begin()
    for number, document in list(store.every_document()):
        old, new = previous.entries(document), catalog.entries(document)
        if old != new:
            store.delete_entries(old - new)
            store.insert_entries(number, new - old)
        looked_at += 1
    store.set_text(_CATALOG, catalog.text)
    store.commit()
    return looked_at


class Expiry:
    """
    Deletes documents whose TTL field is in the past, late as production does.

    Args:
        lag_us: How long after its time a document goes at the earliest.
    """

    def __init__(
        self,
        runner: QueryRunner,
        writer: Writer,
        counter: OperationCounter,
        *,
        now_us: Callable[[], int],
        lag_us: int,
    ) -> None:
        self._runner = runner
        self._writer = writer
        self._counter = counter
        self._now_us = now_us
        self._lag_us = lag_us

    async def sweep(self) -> int:
        """Delete what is due; return how many documents that were."""
        store, deleted = self._runner.store, 0
        due_us = self._now_us() - self._lag_us
        due = encode(Value(timestamp_value=to_timestamp(due_us)))
        for database in databases(store):
            for collection_id, field in self._runner.catalog.ttl_fields.items():
                definition = single_field(field, Mode.ASCENDING, Scope.GROUP)
                bucket = definition.bucket(Path(database, (collection_id,)))
                deleted += await self._sweep_bucket(
                    database, collection_id, bucket, due
                )
        return deleted

    async def _sweep_bucket(
        self, database: str, collection_id: str, bucket: int, due: bytes
    ) -> int:
        deleted = 0
        while True:
            names = [
                (document.path.name, document.updated_us)
                for document in self._runner.store.expired(
                    bucket, TIMESTAMP, due, limit=_TTL_BATCH
                )
            ]
            count = await self._delete(database, collection_id, names)
            deleted += count
            if not count:
                return deleted

    async def _delete(
        self, database: str, collection_id: str, names: list[tuple[str, int]]
    ) -> int:
        mutations = []
        for name, updated_us in names:
            write = Write(delete=name)
            # A document that got a new lease of life meanwhile stays.
            write.current_document.update_time.CopyFrom(to_timestamp(updated_us))
            mutations.append(parse_write(write, database))
        outcomes = await self._writer.commit_each(mutations)
        deleted = sum(not isinstance(outcome, StatusError) for outcome in outcomes)
        self._counter.add(Kind.DELETES, collection_id, deleted)
        return deleted


def databases(store: Store) -> list[str]:
    """Return the databases that hold any document."""
    found: list[str] = []
    name = store.next_name_below(b"", b"\x00")
    while name is not None:
        database = decode_key(name).database
        found.append(database)
        name = store.next_name_below(b"", Path(database, ()).key() + b"\xff")
    return found

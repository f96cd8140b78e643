"""ListDocuments and ListCollectionIds: what exists below a path, by name."""

from collections.abc import Iterator

from .documents import StoredDocument
from .errors import invalid
from .paths import BELOW, Path, decode_key
from .store import Store


def collection_ids(
    store: Store, parent: Path, *, after: str, version: int | None
) -> Iterator[str]:
    """
    Yield the ids of collections directly below `parent` that hold any document.

    Args:
        after: Start behind this id; empty for the first.
        version: A past version to look at instead of the present.
    """
    base = parent.key()
    key = parent.child(after).key() + BELOW if after else base
    while (name := store.next_name_below(base, key, version)) is not None:
        collection_id = decode_key(name).segments[len(parent.segments)]
        yield collection_id
        key = parent.child(collection_id).key() + BELOW


def documents(
    store: Store, collection: Path, *, after: str, version: int | None, missing: bool
) -> Iterator[tuple[Path, StoredDocument | None]]:
    """
    Yield the documents of a collection in order of their names.

    Args:
        after: Start behind this document id; empty for the first.
        missing: Also yield names (with None) that only have documents below them.
    """
    base = collection.key()
    key = collection.child(after).key() + BELOW if after else base
    depth = len(collection.segments)
    while (name := store.next_name_below(base, key, version)) is not None:
        path = Path(collection.database, decode_key(name).segments[: depth + 1])
        key = path.key() + BELOW
        document = (
            store.get(path.key())
            if version is None
            else store.get_at(path.key(), version)
        )
        if document is not None or missing:
            yield path, document


def page_size(requested: int, *, default: int = 300, largest: int = 1_000) -> int:
    """
    Return how many items a page has.

    Raises:
        StatusError: INVALID_ARGUMENT, a negative size.
    """
    if requested < 0:
        raise invalid("page_size must not be negative.")
    return min(requested or default, largest)

"""What the targets of one Listen stream hold.  Pure: messages in, views out."""

from collections.abc import Iterable, Mapping
from typing import Any

from .protocol import ListenResponse, TargetChange

ChangeType = TargetChange.TargetChangeType

# Raw `Document` messages by target id and by name, all as of one moment.
View = Mapping[int, Mapping[str, Any]]


class ListenBroken(Exception):
    """The stream can no longer be believed; listen anew."""


class TargetsView:
    """
    Follows targets from an empty beginning; a new stream needs a new view.

    Args:
        target_ids: As sent with `add_target`, all on the same stream.
    """

    def __init__(self, target_ids: Iterable[int]) -> None:
        self._documents: dict[int, dict[str, Any]] = {id_: {} for id_ in target_ids}
        self._current: set[int] = set()
        self._changed = True  # even an empty first view is news

    def apply(self, response: ListenResponse) -> View | None:
        """
        Take one message; return all documents when they are consistent again.

        Returns:
            A view in which every commit shows in all targets or in none; None where
            nothing new is certain yet.

        Raises:
            ListenBroken: the server removed a target, or a change was missed.
        """
        message = ListenResponse.pb(response)
        match message.WhichOneof("response_type"):
            case "target_change":
                return self._target_changed(message.target_change)
            case "document_change":
                self._document_changed(message.document_change)
            case "document_delete":
                gone = message.document_delete
                self._forget(gone.document, gone.removed_target_ids)
            case "document_remove":
                gone = message.document_remove
                self._forget(gone.document, gone.removed_target_ids)
            case "filter":
                self._count(message.filter)
        return None

    def _target_changed(self, change: Any) -> View | None:
        # No ids at all stands for every target of the stream.
        concerned = self._known(change.target_ids or self._documents)
        match change.target_change_type:
            case ChangeType.CURRENT:
                self._current |= concerned
            case ChangeType.RESET:
                for target_id in concerned:
                    self._documents[target_id].clear()
                self._current -= concerned
                self._changed = True
            case ChangeType.REMOVE:
                raise ListenBroken(f"{change.cause.code}: {change.cause.message}")
            # Only this one says that all targets stand at the same moment.
            case ChangeType.NO_CHANGE if not change.target_ids:
                return self._take_view() if change.HasField("read_time") else None
        return None

    def _take_view(self) -> View | None:
        if not self._changed or self._current != self._documents.keys():
            return None
        self._changed = False
        return {id_: dict(documents) for id_, documents in self._documents.items()}

    def _document_changed(self, change: Any) -> None:
        for target_id in self._known(change.target_ids):
            self._documents[target_id][change.document.name] = change.document
            self._changed = True
        self._forget(change.document.name, change.removed_target_ids)

    def _forget(self, name: str, target_ids: Iterable[int]) -> None:
        for target_id in self._known(target_ids):
            gone = self._documents[target_id].pop(name, None)
            self._changed |= gone is not None

    def _count(self, existence_filter: Any) -> None:
        documents = self._documents.get(existence_filter.target_id)
        if documents is not None and existence_filter.count != len(documents):
            raise ListenBroken("a change was missed")

    def _known(self, target_ids: Iterable[int]) -> set[int]:
        return self._documents.keys() & set(target_ids)

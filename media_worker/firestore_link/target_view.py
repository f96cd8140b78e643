"""What one target of Firestore's Listen stream holds.  Pure: messages in, views out."""

from typing import Any

from .protocol import ListenResponse, TargetChange

ChangeType = TargetChange.TargetChangeType


class ListenBroken(Exception):
    """The stream can no longer be believed; listen anew."""


class TargetView:
    """
    Follows one target from an empty beginning; a new stream needs a new view.

    Args:
        target_id: As sent with `add_target`.
    """

    def __init__(self, target_id: int) -> None:
        self._target_id = target_id
        self._documents: dict[str, Any] = {}
        self._current = False
        self._changed = True  # even an empty first view is news

    def apply(self, response: ListenResponse) -> dict[str, Any] | None:
        """
        Take one message; return all documents by name when they are consistent again.

        Returns:
            Raw `Document` messages, or None where nothing new is certain yet.

        Raises:
            ListenBroken: the server removed the target, or a change was missed.
        """
        message = ListenResponse.pb(response)
        match message.WhichOneof("response_type"):
            case "target_change":
                return self._target_changed(message.target_change)
            case "document_change":
                self._document_changed(message.document_change)
            case "document_delete":
                self._forget(message.document_delete.document)
            case "document_remove":
                self._forget(message.document_remove.document)
            case "filter" if message.filter.count != len(self._documents):
                raise ListenBroken("a change was missed")
        return None

    def _target_changed(self, change: Any) -> dict[str, Any] | None:
        match change.target_change_type:
            case ChangeType.CURRENT:
                self._current = True
            case ChangeType.RESET:
                self._documents.clear()
                self._current, self._changed = False, True
            case ChangeType.REMOVE:
                raise ListenBroken(f"{change.cause.code}: {change.cause.message}")
            case ChangeType.NO_CHANGE if not change.target_ids:
                return self._take_view()
        return None

    def _take_view(self) -> dict[str, Any] | None:
        if not (self._current and self._changed):
            return None
        self._changed = False
        return dict(self._documents)

    def _document_changed(self, change: Any) -> None:
        if self._target_id in change.target_ids:
            self._documents[change.document.name] = change.document
            self._changed = True
        elif self._target_id in change.removed_target_ids:
            self._forget(change.document.name)

    def _forget(self, name: str) -> None:
        self._changed |= self._documents.pop(name, None) is not None

"""One write of a commit: its checks, its precondition, and what it leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import grpc

from .documents import StoredDocument
from .errors import StatusError, invalid, precondition_failed
from .fields import FieldPath, delete_field, get_field, parse_field_path, set_field
from .limits import MAX_TRANSFORMS_PER_DOCUMENT, check_document
from .paths import Path, document_path
from .protocol import Document, Message, from_timestamp
from .transforms import apply_transforms


@dataclass(frozen=True, slots=True)
class Mutation:
    """
    A checked `google.firestore.v1.Write`.

    Args:
        kind: "update", "delete" or "transform".
        mask: Fields to set or delete; None replaces the whole document.
    """

    path: Path
    kind: str
    write: Message
    mask: tuple[FieldPath, ...] | None
    transforms: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Effect:
    """
    What one write makes of one document.

    Args:
        fields: The new content; None when there is no document any more.
    """

    fields: Message | None
    transform_results: Sequence[Message] = ()


def parse_write(write: Message, database: str) -> Mutation:
    """
    Read and check one write.

    Raises:
        StatusError: INVALID_ARGUMENT, the write breaks a rule whatever is stored.
    """
    kind = write.WhichOneof("operation")
    if kind is None:
        raise invalid("A write must have an operation.")
    path = document_path(_written_name(write, kind))
    if path.database != database:
        raise invalid(f'Document "{path.name}" is not in the database {database}.')
    mask = None
    if kind == "update":
        check_document(path, write.update.fields)
        if write.HasField("update_mask"):
            paths = write.update_mask.field_paths
            mask = tuple(parse_field_path(text) for text in paths)
    transforms = write.update_transforms
    if kind == "transform":
        transforms = write.transform.field_transforms
    _check_transforms(kind, transforms)
    return Mutation(path, kind, write, mask, transforms)


def _written_name(write: Message, kind: str) -> str:
    if kind == "update":
        name: str = write.update.name
    elif kind == "delete":
        name = write.delete
    else:
        name = write.transform.document
    return name


def _check_transforms(kind: str, transforms: Sequence[Message]) -> None:
    if kind == "delete" and transforms:
        raise invalid("A delete cannot have transforms.")
    if len(transforms) > MAX_TRANSFORMS_PER_DOCUMENT:
        raise invalid(
            f"At most {MAX_TRANSFORMS_PER_DOCUMENT} transforms of a document at once."
        )


def apply(mutation: Mutation, current: StoredDocument | None, *, now_us: int) -> Effect:
    """
    Return what the write makes of the document that is there now.

    Args:
        now_us: Time of the request, for server timestamps.

    Raises:
        StatusError: NOT_FOUND, ALREADY_EXISTS or FAILED_PRECONDITION when the
            precondition fails; INVALID_ARGUMENT when the result may not be stored.
    """
    check_precondition(mutation, current)
    if mutation.kind == "delete":
        return Effect(None)
    scratch = Document()
    if current is not None and (mutation.mask is not None or mutation.kind != "update"):
        scratch.fields.MergeFrom(current.fields)
    if mutation.kind == "update":
        _update(scratch.fields, mutation)
    results = apply_transforms(scratch.fields, mutation.transforms, now_us)
    if mutation.mask is not None or mutation.transforms:
        check_document(mutation.path, scratch.fields)
    return Effect(scratch.fields, results)


def _update(fields: Message, mutation: Mutation) -> None:
    source = mutation.write.update.fields
    if mutation.mask is None:
        fields.MergeFrom(source)
        return
    for path in mutation.mask:
        value = get_field(source, path)
        if value is None:
            delete_field(fields, path)
        else:
            set_field(fields, path, value)


def check_precondition(mutation: Mutation, current: StoredDocument | None) -> None:
    """
    Hold the write's precondition against the document that is there now.

    Raises:
        StatusError: NOT_FOUND, ALREADY_EXISTS or FAILED_PRECONDITION.
    """
    precondition = mutation.write.current_document
    kind = precondition.WhichOneof("condition_type")
    name = mutation.path.name
    if kind == "exists":
        if precondition.exists and current is None:
            raise StatusError(_NOT_FOUND, f"No document to update: {name}")
        if not precondition.exists and current is not None:
            raise StatusError(_ALREADY_EXISTS, f"Document already exists: {name}")
    elif kind == "update_time":
        required = from_timestamp(precondition.update_time)
        if current is None or current.updated_us != required:
            raise precondition_failed(
                "the stored version does not match the required base version: " + name
            )


_NOT_FOUND: Final = grpc.StatusCode.NOT_FOUND
_ALREADY_EXISTS: Final = grpc.StatusCode.ALREADY_EXISTS

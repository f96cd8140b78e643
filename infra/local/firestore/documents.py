"""A document as it is stored, at one version."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

from .fields import FieldPath, get_field, set_field
from .paths import END, Path, decode_key
from .protocol import Document, Message, to_timestamp


@dataclass(frozen=True)
class StoredDocument:
    """
    One version of one document.

    Args:
        key: Name key, see `paths`.
        created_us: Commit time of its creation; a version of the whole database.
        updated_us: Commit time of its last change.
        data: Serialised `google.firestore.v1.Document`, name and times included.
    """

    key: bytes
    created_us: int
    updated_us: int
    data: bytes

    @classmethod
    def build(
        cls, path: Path, fields: Message, *, created_us: int, updated_us: int
    ) -> Self:
        """Return the version that holds a copy of `fields`."""
        message = Document(
            name=path.name,
            create_time=to_timestamp(created_us),
            update_time=to_timestamp(updated_us),
        )
        message.fields.MergeFrom(fields)
        return cls(path.key(), created_us, updated_us, message.SerializeToString())

    @cached_property
    def message(self) -> Message:
        """The parsed document; to be read only."""
        return Document.FromString(self.data)

    @property
    def fields(self) -> Message:
        """The map of field names to values; to be read only."""
        return self.message.fields

    @property
    def name_component(self) -> bytes:
        """The name as it stands in indexes and sort keys."""
        return self.key + END

    @cached_property
    def path(self) -> Path:
        """The name in parts."""
        return decode_key(self.key)

    def masked(self, paths: Sequence[FieldPath]) -> Message:
        """Return a copy that has only the fields at `paths`."""
        source = self.message
        copy = Document(name=source.name)
        copy.create_time.CopyFrom(source.create_time)
        copy.update_time.CopyFrom(source.update_time)
        for path in paths:
            value = get_field(source.fields, path)
            if value is not None:
                set_field(copy.fields, path, value)
        return copy

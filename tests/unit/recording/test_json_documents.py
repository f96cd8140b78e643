"""Documents of other processes: read as they promise to be, or refused in one way."""

import json
from typing import Any, Protocol, Self

import pytest

from spaces_contract.consent_receipts import Receipt, SignedReceipt
from spaces_contract.json_documents import InvalidDocument
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_render import ClipJob, RenderJob, RenderProgress


class Document(Protocol):
    """Whatever is read from JSON."""

    @classmethod
    def from_json(cls, fields: Any) -> Self: ...


KINDS = (Receipt, SignedReceipt, Manifest, ClipJob, RenderJob, RenderProgress)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "text", ["{}", "[]", "null", "7", '{"schema": 99}', '{"schema": 1}']
)
def test_what_is_wrong_is_refused(kind: type[Document], text: str) -> None:
    """
    Not an object, of another schema, without its fields: one error for all of them.
    """
    with pytest.raises(InvalidDocument):
        kind.from_json(json.loads(text))

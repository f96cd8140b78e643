"""The error for a missing index, in a form to paste into the indexes file."""

import json
from collections.abc import Sequence
from typing import Any

from .errors import StatusError, precondition_failed
from .fields import DOCUMENT_NAME, FieldPath, format_field_path
from .filters import Op, Term
from .indexes import Catalog, Mode, Scope
from .queries import Order


def missing_composite(
    collection_id: str, scope: Scope, equals: Sequence[Term], orders: Sequence[Order]
) -> StatusError:
    """Return the error for a query that no composite index serves."""
    fields = []
    for path, op in dict.fromkeys((term.path, term.op) for term in equals):
        mode = (
            {"arrayConfig": Mode.CONTAINS.value}
            if op is Op.ARRAY_CONTAINS
            else {"order": Mode.ASCENDING.value}
        )
        fields.append({"fieldPath": format_field_path(path), **mode})
    *ordered, last = orders
    fields += [_ordered(format_field_path(order.path), order) for order in ordered]
    if ordered[-1].descending != last.descending:
        fields.append(_ordered(DOCUMENT_NAME, last))
    index = {
        "collectionGroup": collection_id,
        "queryScope": scope.value,
        "fields": fields,
    }
    return _error('"indexes"', index)


def missing_single(
    catalog: Catalog, collection_id: str, path: FieldPath, mode: Mode, scope: Scope
) -> StatusError:
    """Return the error for a field whose index is switched off or spans too little."""
    present = [*sorted(catalog.singles(collection_id, path)), (mode, scope)]
    override = {
        "collectionGroup": collection_id,
        "fieldPath": format_field_path(path),
        "indexes": [_single(*item) for item in present],
    }
    return _error('"fieldOverrides"', override)


def _ordered(name: str, order: Order) -> dict[str, str]:
    mode = Mode.DESCENDING if order.descending else Mode.ASCENDING
    return {"fieldPath": name, "order": mode.value}


def _single(mode: Mode, scope: Scope) -> dict[str, str]:
    kind = "arrayConfig" if mode is Mode.CONTAINS else "order"
    return {kind: mode.value, "queryScope": scope.value}


def _error(section: str, index: dict[str, Any]) -> StatusError:
    return precondition_failed(
        f"The query requires an index. Add this to {section} of "
        f"firestore.indexes.json: {json.dumps(index)}"
    )

"""Refusing the calls of whoever is suspended."""

from typing import Final

from ..service.suspended import SuspendedPeople
from .operations import Call, Guard, Operation

# What a suspended person may still do: have their data, have it erased, and take their
# voice out of recordings, which nobody loses the right to.
STILL_ALLOWED: Final = frozenset(
    {
        "export_me",
        "delete_me",
        "list_receipts",
        "withdraw_consent",
        "withdraw_from_recording",
    }
)


def guard(suspended: SuspendedPeople) -> Guard:
    """Return a check that refuses the calls of whoever is suspended."""

    def check(operation: Operation, call: Call) -> None:
        if call.actor is not None and operation.id not in STILL_ALLOWED:
            suspended.must_not_have(call.actor)

    return check

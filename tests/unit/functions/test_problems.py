"""No error reaches a client in a form of its own."""

from collections.abc import Iterator

from spaces.domain.errors import SpaceError
from spaces.http import problems
from spaces.service.errors import WorkerRefused
from spaces_contract.control import CONTROL_STATUS, ControlError


def leaves(kind: type[SpaceError]) -> Iterator[type[SpaceError]]:
    """Yield every kind of error that is raised."""
    if not kind.__subclasses__():
        yield kind
    for narrower in kind.__subclasses__():
        yield from leaves(narrower)


def test_every_error_has_a_status() -> None:
    """
    A new SpaceError cannot reach a client as a 500.
    """
    assert set(leaves(SpaceError)) == problems.STATUS.keys() | {WorkerRefused}


def test_every_error_has_a_code_of_its_own() -> None:
    """
    Clients tell errors apart by code; one is shared with no other.
    """
    kinds = set(leaves(SpaceError)) - {WorkerRefused}
    codes = [kind.code for kind in kinds]

    assert len(set(codes)) == len(codes)


def test_codes_of_worker_and_functions_agree() -> None:
    """
    A code that both use has the same status in both.
    """
    ours = {kind.code: status for kind, status in problems.STATUS.items()}

    for reason in ControlError:
        if reason.value in ours:
            assert ours[reason.value] == CONTROL_STATUS[reason]

"""Spaces as documents, also those that another release has stored."""

import pytest

from spaces.adapters.firestore.codec import space_from_doc, space_to_doc
from spaces.domain.space import EndReason
from spaces.domain.states import SpaceState
from tests.builders import SPACE_ID, a_space


@pytest.mark.parametrize("reason", [None, *EndReason])
def test_why_it_ended_is_kept(reason: EndReason | None) -> None:
    """
    Each reason that there is, and none.
    """
    space = a_space(SpaceState.ENDED, end_reason=reason)

    assert space_from_doc(SPACE_ID, space_to_doc(space), "") == space


def test_a_reason_of_a_later_release_is_passed_over() -> None:
    """
    After a roll-back the Space is still read, and with it all lists that it is in.
    """
    space = a_space(SpaceState.ENDED, end_reason=None)
    later = space_to_doc(space) | {"end_reason": "rained_off"}

    assert space_from_doc(SPACE_ID, later, "") == space

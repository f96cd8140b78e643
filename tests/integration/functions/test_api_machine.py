"""A short run of `python -m tests.fuzz.api`, and proof that it is not blind."""

from dataclasses import replace

import pytest

from spaces.domain.states import RequestState, SpaceState
from spaces_contract.ids import UserId
from spaces_contract.roles import Role
from tests.builders import HOST, a_participant, a_space
from tests.fuzz.api.invariants import Snapshot, broken
from tests.fuzz.api.machine import STEP
from tests.fuzz.api.running import fuzz

STEPS = 150
ANA = UserId("ana")
HOST_HERE = a_participant(HOST, Role.HOST)


def test_nothing_is_found_in_a_short_run() -> None:
    """
    The same steps each time; what threads do at once aside.
    """
    counted = fuzz(steps=STEPS, seed=4)

    assert counted[STEP] >= STEPS


@pytest.mark.parametrize(
    ("space", "people"),
    [
        ({"speaker_ids": tuple(UserId(f"u{n}") for n in range(11))}, []),
        ({"speaker_ids": (ANA, ANA)}, []),
        ({"speaker_ids": (ANA,)}, []),
        ({"host_ids": (ANA,)}, []),
        ({}, [a_participant("ana", Role.HOST)]),
        ({}, [a_participant("ana", Role.SPEAKER)]),
        ({}, [a_participant("ana", on_stage=True)]),
        ({"invited_user_ids": (ANA,)}, [a_participant("ana", removed=True)]),
        ({}, [a_participant("ana", removed=True, anonymous_id=None)]),
        (
            {"speaker_ids": (ANA,)},
            [a_participant("ana", Role.SPEAKER, speak_request=RequestState.PENDING)],
        ),
        ({"epoch": 0}, []),
        ({"state": SpaceState.ENDED}, []),
        ({"state": SpaceState.SCHEDULED}, []),
    ],
)
def test_what_must_not_be_is_seen(
    space: dict[str, object], people: list[object]
) -> None:
    """
    Each invariant tells when it is broken.
    """
    before = a_space(started_at=None) if space.get("epoch") == 0 else a_space()
    snapshot = Snapshot(replace(before, **space), [HOST_HERE, *people])  # type: ignore[arg-type,list-item]  # by name

    assert broken(snapshot, a_space())
    assert not broken(Snapshot(a_space(), [HOST_HERE]), a_space())

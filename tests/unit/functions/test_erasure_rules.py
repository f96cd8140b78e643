"""What erasing leaves of a person in one Space."""

from typing import Any

import pytest

from spaces.domain.clip import Clip
from spaces.domain.erasure import ERASED, ERASED_NAME, Traces, erased_from, unhosted
from spaces.domain.host_presence import HostPresence, HostState
from spaces.domain.recording_kept import nameless
from spaces.domain.space import Space
from spaces.domain.states import SpaceState
from spaces_contract.ids import UserId
from spaces_contract.recording import RecordingState
from tests.builders import HOST, NOW, a_participant, a_space
from tests.recording_builders import a_recording, a_voice

ANA, BO = UserId("ana"), UserId("bo")
ANONYMOUS = UserId("pseudonym-1")


def left_of(space: Space, **member: Any) -> Traces:
    """Return what is left of ana in a Space."""
    traces = Traces(space=space, member=a_participant("ana", **member), invite=None)
    return erased_from(traces, ANA, now=NOW)


@pytest.mark.parametrize(
    "space",
    [
        a_space(speaker_ids=(BO, ANA)),
        a_space(host_ids=(HOST, ANA)),
        a_space(invited_user_ids=(ANA, BO)),
        a_space(
            host_ids=(HOST, ANA),
            host_presence=HostPresence(
                state=HostState.COVERED, since=NOW, acting_host_id=ANA
            ),
        ),
        a_space(SpaceState.ENDED, speaker_ids=(ANA,)),
    ],
)
def test_no_list_of_anothers_space_names_them(space: Space) -> None:
    """
    Whatever they were there; the others keep their places.
    """
    left = left_of(space)

    assert "ana" not in str(left)
    assert left.space.creator_id == HOST
    assert (BO in left.space.speaker_ids) == (BO in space.speaker_ids)


@pytest.mark.parametrize("state", [SpaceState.LIVE, SpaceState.ENDED])
def test_a_ban_stays_while_it_matters(state: SpaceState) -> None:
    """
    In a live Space, and without a name; of one that is over nothing is kept.

    Their anonymous sessions end too, for which the worker has to know what they are
    called: grants and listen tokens outlive the account.
    """
    left = left_of(a_space(state), removed=True, anonymous_id=ANONYMOUS)

    assert (left.member is not None) == (state is SpaceState.LIVE)
    if left.member is not None:
        assert (left.member.removed, left.member.user_id) == (True, ERASED)
        assert left.member.anonymous_id == ANONYMOUS
        assert "ana" not in str(left.member).lower()


@pytest.mark.parametrize(
    ("state", "after"),
    [
        (SpaceState.LIVE, SpaceState.ENDED),
        (SpaceState.SCHEDULED, SpaceState.CANCELLED),
        (SpaceState.ENDED, SpaceState.ENDED),
        (SpaceState.CANCELLED, SpaceState.CANCELLED),
    ],
)
def test_their_own_space_is_over_and_nobodys(
    state: SpaceState, after: SpaceState
) -> None:
    """
    Co-hosts keep their names; the host has none.
    """
    space = a_space(state, host_ids=(HOST, ANA), participant_count=0)
    left = unhosted(space, HOST, now=NOW).space

    assert (left.state, left.host_ids) == (after, (ERASED, ANA))
    assert (left.host_handle, left.host_display_name) == ("", ERASED_NAME)
    assert left.creator_id == ERASED


def test_a_recording_does_not_name_who_asked_for_it_or_made_clips() -> None:
    """
    The clips of others' voices stay, nobody's; what others made keeps its maker.
    """
    clips = tuple(
        Clip(
            number=number,
            title=None,
            start_ms=0,
            end_ms=1_000,
            stems=(a_voice("bo").stem,),
            made_by=maker,
            made_at=NOW,
        )
        for number, maker in ((1, ANA), (2, BO))
    )
    ready = a_recording(RecordingState.READY, requested_by=ANA, clips=clips)

    left = nameless(ready, ANA, now=NOW).recording

    assert left is not None
    assert left.requested_by == ERASED
    assert [clip.made_by for clip in left.clips] == [ERASED, BO]
    assert nameless(left, ANA, now=NOW).recording is left
    assert nameless(None, ANA, now=NOW).recording is None

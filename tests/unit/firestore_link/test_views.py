"""What the worker makes of Firestore's messages."""

from typing import Any

import pytest

from media_worker.firestore_link.documents import decode, desired_state, document
from media_worker.firestore_link.protocol import (
    Document,
    ListenResponse,
    TargetChange,
)
from media_worker.firestore_link.target_view import ListenBroken, TargetsView
from spaces_contract.roles import Role

ChangeType = TargetChange.TargetChangeType
PARENT = "projects/p/databases/(default)/documents"


def changed(name: str, **fields: Any) -> ListenResponse:
    """Return the news of a document that matches target 1."""
    return ListenResponse(
        document_change={"document": document(name, fields), "target_ids": [1]}
    )


def target(change: Any, **more: Any) -> ListenResponse:
    """Return the news of a target."""
    return ListenResponse(target_change={"target_change_type": change, **more})


CURRENT = target(ChangeType.CURRENT, target_ids=[1])
CONSISTENT = target(ChangeType.NO_CHANGE, read_time={"seconds": 1})


def test_a_view_is_given_when_it_is_consistent() -> None:
    """
    Documents are held back until the server says that they belong together.
    """
    view = TargetsView([1])

    early = [view.apply(m) for m in (changed("a"), CONSISTENT, changed("b"), CURRENT)]
    full = view.apply(CONSISTENT)

    assert early == [None] * 4
    assert full is not None
    assert full[1].keys() == {"a", "b"}


def test_targets_are_shown_together() -> None:
    """
    One target that is behind holds all of them back.
    """
    view = TargetsView([1, 2])
    early = [view.apply(m) for m in (changed("a"), CURRENT, CONSISTENT)]

    view.apply(target(ChangeType.CURRENT, target_ids=[2]))

    full = view.apply(CONSISTENT)
    assert early == [None] * 3
    assert full is not None
    assert {id_: list(names) for id_, names in full.items()} == {1: ["a"], 2: []}


def test_a_document_moves_between_targets_in_one_view() -> None:
    """
    Who leaves one query and enters another is never seen in neither.
    """
    view = TargetsView([1, 2])
    for message in (changed("a"), target(ChangeType.CURRENT), CONSISTENT):
        view.apply(message)

    moved = [
        ListenResponse(document_remove={"document": "a", "removed_target_ids": [1]}),
        ListenResponse(
            document_change={"document": document("a", {}), "target_ids": [2]}
        ),
    ]

    assert [view.apply(message) for message in moved] == [None, None]
    full = view.apply(CONSISTENT)
    assert full is not None
    assert {id_: list(names) for id_, names in full.items()} == {1: [], 2: ["a"]}


def test_news_of_some_targets_is_no_moment_of_all() -> None:
    """
    NO_CHANGE for named targets, or without a time, gives no view.
    """
    view = TargetsView([1])
    view.apply(CURRENT)

    assert view.apply(target(ChangeType.NO_CHANGE)) is None
    named = target(ChangeType.NO_CHANGE, target_ids=[1], read_time={"seconds": 1})
    assert view.apply(named) is None


def test_nothing_new_is_not_told_again() -> None:
    """
    Keep-alives of the server make no new views.
    """
    view = TargetsView([1])

    views = [view.apply(m) for m in (CURRENT, CONSISTENT, CONSISTENT)]

    assert views == [None, {1: {}}, None]


@pytest.mark.parametrize(
    "gone",
    [
        ListenResponse(document_delete={"document": "a", "removed_target_ids": [1]}),
        ListenResponse(document_remove={"document": "a", "removed_target_ids": [1]}),
        ListenResponse(
            document_change={"document": {"name": "a"}, "removed_target_ids": [1]}
        ),
    ],
)
def test_a_document_that_left_is_gone(gone: ListenResponse) -> None:
    """
    Deleted or no longer matching: it is not in the next view.
    """
    view = TargetsView([1])
    for message in (changed("a"), CURRENT, CONSISTENT, gone):
        view.apply(message)

    assert view.apply(CONSISTENT) == {1: {}}


def test_a_reset_begins_anew() -> None:
    """
    After RESET only what is sent again is true.
    """
    view = TargetsView([1])
    for message in (changed("a"), CURRENT, CONSISTENT, target(ChangeType.RESET)):
        view.apply(message)

    views = [view.apply(m) for m in (changed("b"), CONSISTENT, CURRENT, CONSISTENT)]

    assert views[:3] == [None, None, None]
    assert views[3] is not None
    assert list(views[3][1]) == ["b"]


def test_a_missed_change_breaks_the_stream() -> None:
    """
    The server's count differs from ours: do not go on with a wrong view.
    """
    view = TargetsView([1])
    view.apply(changed("a"))

    with pytest.raises(ListenBroken):
        view.apply(ListenResponse(filter={"target_id": 1, "count": 2}))


def test_a_target_that_the_server_took_away_breaks_the_stream() -> None:
    """
    REMOVE comes with its cause.
    """
    with pytest.raises(ListenBroken, match="no index"):
        TargetsView([1]).apply(
            target(ChangeType.REMOVE, cause={"code": 9, "message": "no index"})
        )


def test_documents_make_a_desired_state() -> None:
    """
    Space, stage and removals, by both of a person's names, become what the room
    understands.
    """
    state = desired_state(
        {"state": "live", "epoch": 4, "title": "Talk"},
        [{"uid": "ana", "role": "host", "muted": False, "handle": "ana"}],
        {"eve": {"uid": "eve", "anonymous_id": "anon-1"}, "bo": {"anonymous_id": None}},
    )

    assert (state.live, state.epoch, state.title) == (True, 4, "Talk")
    assert [(m.user_id, m.role, m.muted) for m in state.stage.values()] == [
        ("ana", Role.HOST, False)
    ]
    assert state.removed == {"eve", "anon-1", "bo"}


def test_whoever_erased_themselves_stays_removed() -> None:
    """
    Their document names them no more, but is still called by their id.
    """
    nameless = {"uid": "~erased", "anonymous_id": "anon-1"}
    state = desired_state({"state": "live"}, [], {"eve": nameless})

    assert {"eve", "anon-1"} <= state.removed


def test_a_participant_that_cannot_be_read_is_left_out() -> None:
    """
    One broken document does not silence the stage.
    """
    state = desired_state(
        {"state": "live", "epoch": 1},
        [{"uid": "x", "role": "king"}, {"role": "host"}, {"uid": "bo", "role": "host"}],
        {},
    )

    assert list(state.stage) == ["bo"]
    assert state.stage[next(iter(state.stage))].muted  # until Firestore says not
    assert state.removed == frozenset()


@pytest.mark.parametrize("space", [None, {"state": "ended", "epoch": 1}])
def test_a_space_that_is_gone_or_ended_is_not_live(space: Any) -> None:
    """
    Both end the room.
    """
    assert not desired_state(space, [], {}).live


def test_fields_survive_the_way_to_firestore_and_back() -> None:
    """
    Texts and numbers come back as they went; lists are for the functions to read.
    """
    written = document("a", {"text": "x", "number": 7, "names": ("a", "b")})

    assert decode(Document.pb(written)) == {"text": "x", "number": 7}
    assert [v.string_value for v in written.fields["names"].array_value.values] == [
        "a",
        "b",
    ]

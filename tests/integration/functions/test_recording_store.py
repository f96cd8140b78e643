"""Recordings and consents on Firestore, as people really answer: at the same time."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from spaces.adapters.firestore.client import BoundedClient
from spaces.domain.notice import NOTICE_VERSION
from spaces.domain.recording import Recording, RecordingDecision
from spaces.domain.recording_states import UNFINISHED
from spaces.domain.space import Space
from spaces_contract import paths
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import RecordingState, desired_recording
from tests.builders import NOW
from tests.integration.functions.test_races import at_once
from tests.world import World

YES: dict[str, Any] = {"granted": True, "notice_version": NOTICE_VERSION}
NO: dict[str, Any] = {"granted": False}


class Stage:
    """A recorded Space of a host and some speakers."""

    def __init__(self, world: World, prefix: str, speakers: int) -> None:
        self.world = world
        self.host = f"{prefix}host"
        self.people = [f"{prefix}{number}" for number in range(speakers)]
        for user in (self.host, *self.people):
            person = {"handle": user, "display_name": user}
            world.call("PUT", "/v1/me", as_user=user, json=person)
        body = {"speaker_policy": "everyone"}
        made = world.call("POST", "/v1/spaces", as_user=self.host, json=body)
        self.space_id = SpaceId(made.get_json()["id"])
        self.path = f"/v1/spaces/{self.space_id}"
        world.call("POST", f"{self.path}/start", as_user=self.host)
        for user in self.people:
            seat = {"role": "speaker"}
            world.call("POST", f"{self.path}/join", as_user=user, json=seat)
        self.record(requested=True)

    def record(self, **body: bool) -> int:
        """Set the recording as the host would have it; return the status."""
        path = f"{self.path}/recording"
        return self.world.call("PUT", path, as_user=self.host, json=body).status_code

    def answer(self, user: str, body: dict[str, Any]) -> int:
        """Answer as `user`; return the status."""
        path = f"{self.path}/recording/consent"
        return self.world.call("PUT", path, as_user=user, json=body).status_code

    def withdraw(self, user: str) -> int:
        """Take a yes back; return the status."""
        path = f"{self.path}/recording/consent"
        return self.world.call("DELETE", path, as_user=user).status_code


def test_answers_at_once_are_all_kept(contended_world: World) -> None:
    """
    Everybody on stage answers in the same moment: each yes has a voice, each answer a
    link in the chain, and none is lost.
    """
    stage = Stage(contended_world, "all", 4)
    bodies: list[dict[str, Any]] = [YES, YES, NO, YES]

    statuses = at_once(
        [
            partial(stage.answer, user, body)
            for user, body in zip(stage.people, bodies, strict=True)
        ]
    )

    assert set(statuses) <= {200, 503}
    _, recording = contended_world.recording.store.get(stage.space_id)
    assert recording is not None
    said_yes = [
        user
        for user, body, status in zip(stage.people, bodies, statuses, strict=True)
        if body is YES and status == 200
    ]
    assert sorted(voice.user_id for voice in recording.voices) == said_yes
    assert len(recording.commitments) == statuses.count(200)


def test_a_withdrawal_beats_the_stop(contended_world: World) -> None:
    """
    Withdrawn while the host stops: whoever comes first, the voice is out of the
    version that is rendered.
    """
    stage = Stage(contended_world, "beat", 2)
    ana, bo = stage.people
    assert [stage.answer(user, YES) for user in (ana, bo)] == [200, 200]

    at_once([partial(stage.withdraw, ana), partial(stage.record, requested=False)])
    stage.withdraw(ana)
    stage.record(requested=False)

    _, recording = contended_world.recording.store.get(stage.space_id)
    assert recording is not None
    assert recording.state is RecordingState.FINISHING
    assert [voice.user_id for voice in recording.voices] == [bo]
    assert len(recording.withdrawn) == 1


def test_the_worker_reads_what_was_decided(world: World, client: BoundedClient) -> None:
    """
    The document that the worker listens to says state, version and standing consents
    in its own words, and the Space shows the state to everybody.
    """
    stage = Stage(world, "read", 2)
    ana, bo = stage.people
    stage.answer(ana, YES)
    stage.answer(bo, NO)

    fields = client.document(paths.runtime_recording(stage.space_id)).get().to_dict()
    space = client.document(paths.space(stage.space_id)).get().to_dict()

    desired = desired_recording(fields)
    assert desired.state is RecordingState.RECORDING
    assert str(desired.recording_id) == stage.space_id
    assert desired.began_at_ms == int(world.clock().timestamp() * 1000)
    assert list(desired.stems) == [UserId(ana)]
    assert (space or {})["recording_state"] == "recording"
    assert bo not in str(fields)


def test_answers_come_back_as_they_were_signed(world: World) -> None:
    """
    A receipt from Firestore has the very commitment that is in the chain, page by page.
    """
    stage = Stage(world, "back", 1)
    (ana,) = stage.people
    stage.answer(ana, YES)
    other = Stage(world, "back", 1)
    other.answer(ana, NO)
    listed = []
    token: str | None = None
    for _ in range(2):
        query = {"page_size": 1} | ({"page_token": token} if token else {})
        answer = world.call("GET", "/v1/me/receipts", as_user=ana, query_string=query)
        token = answer.get_json()["next_page_token"]
        listed += answer.get_json()["answers"]

    assert token is None
    assert {each["space_id"] for each in listed} == {stage.space_id, other.space_id}
    for each in listed:
        _, recording = world.recording.store.get(SpaceId(each["space_id"]))
        assert recording is not None
        commitments = [receipt["commitment"] for receipt in each["receipts"]]
        assert commitments == list(recording.commitments)


@pytest.mark.parametrize("steps", [("ask", "ask"), ("erase-stems", "erase-stems")])
def test_tasks_may_come_twice(world: World, steps: tuple[str, str]) -> None:
    """
    Delivery is at least once; the second one finds nothing left to do.
    """
    stage = Stage(world, f"twice{steps[0][:3]}", 1)
    about = {"space_id": stage.space_id, "version": 1}

    for step in steps:
        assert world.task(f"recording-{step}", about).status_code == 204


def test_what_outlived_its_time_is_found(world: World) -> None:
    """
    Across all Spaces, the longest overdue first; what is erased is found no more.
    """
    spaces = [Stage(world, f"due{number}", 1) for number in range(3)]
    store, far = world.recording.store, NOW + timedelta(days=36_500)
    for days, stage in enumerate(spaces):
        _changed(world, stage.space_id, expires_at=far + timedelta(days=days))
    found = partial(store.overdue, far + timedelta(days=1, seconds=1))
    ids = [stage.space_id for stage in spaces]

    assert [each for each in found(limit=50) if each in ids] == ids[:2]
    assert len(found(limit=1)) == 1
    _changed(world, ids[0], expires_at=None)
    assert [each for each in found(limit=50) if each in ids] == [ids[1]]


def test_clips_that_are_to_be_looked_after_are_found(world: World) -> None:
    """
    Across all Spaces, until nobody needs to any more.
    """
    spaces = [Stage(world, f"clips{number}", 1) for number in range(2)]
    ids = [stage.space_id for stage in spaces]
    far = NOW + timedelta(days=36_500)
    for days, space_id in enumerate(ids):
        _changed(world, space_id, clips_due_at=far + timedelta(days=days))

    def found() -> list[SpaceId]:
        due = world.recording.store.clips_due(far + timedelta(seconds=1), limit=50)
        return [each for each in due if each in ids]

    assert found() == ids[:1]
    _changed(world, ids[0], clips_due_at=None)
    assert found() == []


def test_what_failed_and_never_expires_is_found(world: World) -> None:
    """
    Across all Spaces: what is kept for its time, or did not fail, is not among them.
    """
    ids = [Stage(world, f"failed{number}", 1).space_id for number in range(4)]
    long_ago = NOW - timedelta(days=36_500)
    failed: dict[str, Any] = {"state": RecordingState.FAILED, "updated_at": long_ago}
    _changed(world, ids[0], **failed)
    _changed(world, ids[1], **failed, expires_at=NOW)
    _changed(world, ids[2], **failed | {"updated_at": long_ago + timedelta(days=1)})
    _changed(world, ids[3], updated_at=long_ago)
    before = long_ago + timedelta(seconds=1)

    found = world.recording.store.timeless(before, limit=50)

    assert [each for each in found if each in ids] == ids[:1]


def test_what_no_task_has_finished_is_found(world: World) -> None:
    """
    Of Spaces that are over, in the order of their ends: recordings that go on, as far
    as is stored, and those that wait for their render. No other.
    """
    asked, stopped, off, live = (Stage(world, f"lost{n}", 1) for n in range(4))
    stopped.answer(stopped.people[0], YES)
    for stage in (stopped, off):
        stage.record(requested=False)
    for stage in (asked, stopped, off):
        world.call("POST", f"{stage.path}/end", as_user=stage.host)
        world.clock.advance(1)
    ids = [stage.space_id for stage in (asked, stopped, off, live)]

    def found(before: datetime) -> list[SpaceId]:
        unfinished = world.recording.store.ended(UNFINISHED, before, limit=1_000)
        return [each for each in unfinished if each in ids]

    assert found(world.clock()) == ids[:2]
    assert found(world.clock() - timedelta(seconds=2)) == ids[:1]


def _changed(world: World, space_id: SpaceId, **fields: Any) -> None:
    def decide(_: Space, found: Recording | None) -> RecordingDecision:
        assert found is not None
        return RecordingDecision(replace(found, **fields))

    world.recording.store.update(space_id, decide)

"""Recordings whose tasks the queue has lost: a sweep finds them, and goes on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from spaces.domain.recording import RecordingDecision, there
from spaces.domain.states import SpaceState
from spaces.service.recording_tasks import MEND_AT_ONCE
from spaces_contract.ids import SpaceId
from spaces_contract.recording import ERASE_LAST_AFTER_S, RecordingId, RecordingState
from spaces_contract.recording_render import RenderProgress, RenderState
from tests.builders import HOST, SPACE_ID, a_space
from tests.recorded_world import (
    CONSENT,
    ONE,
    YES,
    end,
    lose_tasks,
    put,
    ready,
    rendered,
    requested,
    state,
    sweep,
    work,
)
from tests.recording_builders import a_recording
from tests.recording_fakes import KEPT_DAYS, MemoryRecordingStore
from tests.world import World


@pytest.mark.parametrize(
    ("seen_by_watchdog", "late"), [(False, True), (True, True), (True, False)]
)
def test_the_sweep_mends_a_lost_render(
    world: World,
    caplog: pytest.LogCaptureFixture,
    seen_by_watchdog: bool,
    late: bool,
) -> None:
    """
    A Space is over, and nobody comes to end its recording, or to render it: ten minutes
    later a sweep does. What is just late it leaves to its tasks.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    if seen_by_watchdog:
        end(world)
    else:
        world.call("POST", f"/v1/spaces/{SPACE_ID}/end", as_user=HOST)
    lose_tasks(world)
    world.clock.advance(700 if late else 500)

    sweep(world)
    rendered(world)

    assert state(world) == ("ready" if late else "finishing")
    told = "end was lost" in caplog.text
    assert told == (late and not seen_by_watchdog)


def test_what_is_rendered_anew_is_found_too(world: World) -> None:
    """
    A withdrawal long after the end: the stem is erased, and the others are rendered.
    """
    ready(world, "ana", "bo")
    world.clock.advance(86_400)
    world.call("DELETE", CONSENT, as_user="ana")
    lose_tasks(world)

    sweep(world)
    rendered(world, version=2)

    assert state(world) == "ready"
    assert len(world.recording.objects.erased_stems) == 1


def test_a_space_that_goes_on_is_left_alone(world: World) -> None:
    """
    However long it is recorded, and however often a sweep comes.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    world.clock.advance(7_200)

    sweep(world)

    assert state(world) == "recording"


def test_a_sweep_sees_to_it_that_what_is_erased_is_gone(world: World) -> None:
    """
    Where the queue lost what deletes it, a sweep does, once, when no worker and no job
    can store any more.
    """
    ready(world, "ana")
    world.call("DELETE", ONE, as_user=HOST)
    lose_tasks(world)
    world.clock.advance(ERASE_LAST_AFTER_S + 500)
    sweep(world)
    early = list(world.recording.objects.erased)
    world.clock.advance(200)

    sweep(world)

    assert (early, world.recording.objects.erased) == ([], [RecordingId(SPACE_ID)])
    assert state(world) == "erased"


@pytest.mark.parametrize("lost", [False, True])
def test_what_could_not_be_rendered_is_kept_no_longer(world: World, lost: bool) -> None:
    """
    The notice promises everybody so many days; a render that failed takes none back.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    end(world)
    world.recording.objects.said[1] = RenderProgress(
        state=RenderState.FAILED, percent=0, updated_at_ms=0
    )
    world.clock.advance(20)
    work(world)
    failed = state(world)
    if lost:
        lose_tasks(world)
    for _ in range(2):  # in hops of 29 days
        world.clock.advance(KEPT_DAYS * 43_200 + 700)
        work(world)
        sweep(world)

    assert (failed, state(world)) == ("failed", "erased")


@pytest.mark.parametrize("late", [False, True])
def test_the_sweep_mends_a_lost_expiry(world: World, late: bool) -> None:
    """
    Where the queue lost the task that ends a recording's time, the next sweep erases
    it; one whose time is not up, or whose task is just late, it leaves alone.
    """
    ready(world, "ana")
    lose_tasks(world)
    world.clock.advance(KEPT_DAYS * 86_400 + (700 if late else 0))

    for _ in range(2):
        assert world.task("sweep", {}).status_code == 204
        work(world)

    assert state(world) == ("erased" if late else "ready")
    assert world.recording.objects.erased == ([RecordingId(SPACE_ID)] if late else [])


def test_what_older_releases_erased_is_found_no_more(world: World) -> None:
    """
    Their erased recordings have a time still: a sweep takes it off, so that others
    whose expiry was lost have their turn; one that cannot be mended holds up none.
    """
    ready(world, "ana")
    store = world.recording.store
    assert isinstance(store, MemoryRecordingStore)
    long_ago = world.clock() - timedelta(days=1)
    old, gone = SpaceId("1111111111112"), SpaceId("1111111111113")
    erased = a_recording(RecordingState.ERASED, expires_at=long_ago)
    world.database.put_space(a_space(SpaceState.ENDED, id=old))
    store.recordings = {
        gone: replace(erased, space_id=gone),  # its Space is in no store any more
        old: replace(erased, space_id=old),
        SPACE_ID: replace(store.recordings[SPACE_ID], expires_at=long_ago),
    }

    for _ in range(2):
        world.task("sweep", {})

    assert store.recordings[old].expires_at is None
    assert state(world) == "erased"
    assert list(store.overdue(world.clock(), limit=50)) == [gone]


@pytest.mark.parametrize(("days", "erased"), [(29, False), (31, True)])
def test_what_failed_before_failures_expired_is_kept_no_longer(
    world: World, days: int, erased: bool
) -> None:
    """
    Builds of before gave it no time; the notice promised everybody so many days.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    end(world)
    store = world.recording.store
    store.update(
        SPACE_ID,
        lambda _, found: RecordingDecision(
            replace(there(found), state=RecordingState.FAILED)
        ),
    )
    lose_tasks(world)
    world.clock.advance(days * 86_400)

    sweep(world)

    assert state(world) == ("erased" if erased else "failed")
    assert world.recording.objects.erased[:1] == (
        [RecordingId(SPACE_ID)] if erased else []
    )


def test_failures_that_have_a_time_hide_none_that_have_not(world: World) -> None:
    """
    As many as a sweep looks at are kept for longer, all of them older.
    """
    requested(world)
    put(world, CONSENT, "ana", YES)
    end(world)
    lose_tasks(world)
    store = world.recording.store
    assert isinstance(store, MemoryRecordingStore)
    failed = replace(store.recordings[SPACE_ID], state=RecordingState.FAILED)
    later = world.clock() + timedelta(days=365)
    for n in range(MEND_AT_ONCE):
        kept = SpaceId(f"4Space4Spa{n:03}")
        past = a_space(SpaceState.ENDED, id=kept, recording_state=RecordingState.FAILED)
        world.database.put_space(past)
        store.recordings[kept] = replace(failed, space_id=kept, expires_at=later)
    store.update(SPACE_ID, lambda _, found: RecordingDecision(failed))
    store.recordings[SPACE_ID] = store.recordings.pop(SPACE_ID)  # the last of them
    world.database.spaces[SPACE_ID] = world.database.spaces.pop(SPACE_ID)
    world.clock.advance(31 * 86_400)

    sweep(world)

    assert state(world) == "erased"

"""Clips whose tasks the queue has lost: a sweep looks after them."""

from collections.abc import Callable

import pytest

from spaces.domain.recording import Recording, there
from spaces_contract.recording import ERASE_LAST_AFTER_S
from tests.builders import HOST, SPACE_ID
from tests.recorded_world import (
    CLIPS,
    CONSENT,
    ONE,
    clip_made,
    clippable,
    get,
    lose_tasks,
    make_clip,
    sweep,
    work,
)
from tests.world import World


@pytest.fixture
def world() -> World:
    """Return a deployment with a clip of Ana's voice, which she made."""
    world = clippable()
    make_clip(world)
    clip_made(world)
    return world


def delete(world: World) -> None:
    """Delete the clip."""
    world.call("DELETE", f"{CLIPS}/1", as_user="ana")


def withdraw(world: World) -> None:
    """Take back the yes of the voice that is in it."""
    world.call("DELETE", CONSENT, as_user="ana")


def trim(world: World) -> None:
    """Cut off the start, and with it where the clip begins."""
    body = {"trim_start_ms": 3_000}
    world.call("PATCH", ONE, as_user=HOST, json=body)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("act", [delete, withdraw, trim])
def test_the_sweep_erases_a_clip_whose_tasks_were_lost(
    world: World, act: Callable[[World], None], late: bool
) -> None:
    """
    However it went; tasks that are just late are left alone.
    """
    act(world)
    lose_tasks(world)
    world.clock.advance(ERASE_LAST_AFTER_S + (700 if late else 500))

    sweep(world)

    assert world.recording.objects.erased_clips == ({1} if late else None)


def test_a_clip_that_is_gone_is_found_once(world: World) -> None:
    """
    What nobody needs to look after is not looked for any more; a later one is.
    """
    delete(world)
    world.clock.advance(ERASE_LAST_AFTER_S + 700)
    sweep(world)
    world.recording.objects.erased_clips = None
    sweep(world)
    assert world.recording.objects.erased_clips is None

    make_clip(world)
    lose_tasks(world)
    world.call("DELETE", f"{CLIPS}/2", as_user="ana")
    lose_tasks(world)
    world.clock.advance(ERASE_LAST_AFTER_S + 700)
    sweep(world)
    assert world.recording.objects.erased_clips == {1, 2}


def stored(world: World) -> Recording:
    """Return the recording, as it is kept."""
    return there(world.recording.store.get(SPACE_ID)[1])


def cut_another(world: World) -> int:
    """Have a clip made, of which nothing is lost; return its number."""
    number = stored(world).clips_made + 1
    said = world.recording.objects.said_of_clips
    assert make_clip(world, title=f"No. {number}").status_code == 201
    said[number] = said[1]  # it is done
    work(world)
    return number


def delete_another(world: World) -> None:
    """Delete one that was made just now, and lose that."""
    number = cut_another(world)
    world.call("DELETE", f"{CLIPS}/{number}", as_user="ana")
    lose_tasks(world)


@pytest.mark.parametrize("act", [cut_another, delete_another])
def test_later_clips_put_off_nothing(
    world: World, act: Callable[[World], object]
) -> None:
    """
    Whoever cuts or deletes every ten minutes hides no deletion that was lost; and what
    they do meanwhile is looked after in its own time.
    """
    delete(world)
    lose_tasks(world)
    for _ in range(4):
        world.clock.advance(600)
        act(world)
        sweep(world)
    assert 1 in (world.recording.objects.erased_clips or ())

    for _ in range(2):
        world.clock.advance(ERASE_LAST_AFTER_S + 700)
        sweep(world)
    after = stored(world)
    kept = {clip.number for clip in after.clips}
    gone = {*range(1, after.clips_made + 1)} - kept
    assert world.recording.objects.erased_clips == gone
    assert after.clips_due_at is None


def test_the_sweep_sees_a_clip_through_whose_look_was_lost() -> None:
    """
    It is made, if late, and found until then.
    """
    world = clippable()
    make_clip(world)
    lose_tasks(world)
    world.clock.advance(ERASE_LAST_AFTER_S + 700)

    sweep(world)
    clip_made(world)

    (clip,) = get(world, CLIPS, HOST)["clips"]
    assert clip["state"] == "ready"
    lose_tasks(world)
    sweep(world)
    assert list(world.recording.store.clips_due(world.clock(), limit=50)) == []

"""Keys of HLS: who gets one, when, and from where; no key outlives its segments."""

import pytest

from media_worker.live_edge import key_objects
from media_worker.live_edge.segment_keys import KeysDestroyed
from media_worker.room.ports import SessionRefused
from spaces_contract.control import ControlError
from spaces_contract.hls import KEY_AHEAD_S, KEY_PERIOD_S, key_number
from tests.broadcasting import LEA, SPACE, Broadcasting
from tests.hls_player import decoded, decrypted
from tests.room_doubles import settle

pytestmark = pytest.mark.usefixtures("thread")


async def test_removed_people_get_neither_playlist_nor_key() -> None:
    """
    They are refused with their next request, and counted no more.
    """
    async with Broadcasting() as live:
        await live.begin()
        live.removed.add(LEA)
        number = key_number(live.clock.utc().timestamp())
        with pytest.raises(SessionRefused) as refused:
            live.hls.key_for(LEA, number)
        await live.mix(2)

        assert refused.value.code is ControlError.REMOVED
        assert await live.refusal() is ControlError.REMOVED
        assert live.hls.listener_count == 0


@pytest.mark.parametrize(
    ("left_s", "off", "found"),
    [
        (60, -2, 0),
        (60, -1, 1),
        (60, 0, 1),
        (60, 1, 1),
        (60, 2, 0),
        (KEY_AHEAD_S + 10, 0, 1),
        (KEY_AHEAD_S + 10, 1, 0),
    ],
)
async def test_only_keys_about_now_are_told(left_s: int, off: int, found: int) -> None:
    """
    Nobody fetches the keys of an hour ago, nor the next one before its time is near:
    whoever is removed has not got it.
    """
    async with Broadcasting() as live:
        await live.until_rotation(left_s)
        number = key_number(live.clock.utc().timestamp()) + off
        try:
            told = len(live.hls.key_for(LEA, number)) == 16
        except SessionRefused as error:
            told = error.code is not ControlError.HLS_KEY_NOT_FOUND

        assert told == bool(found)


async def test_whoever_fetches_a_key_is_counted() -> None:
    """
    They listen, though another worker had been told so.
    """
    async with Broadcasting() as live:
        live.hls.key_for(LEA, key_number(live.clock.utc().timestamp()))

        assert live.hls.listener_count == 1


async def test_nothing_that_was_stored_can_be_heard_afterwards() -> None:
    """
    All that the store ever held is noise without the worker's memory, and with what
    is left of that memory after the end; with the keys of its time it was the sound.
    """
    async with Broadcasting() as live:
        await live.begin()
        await live.mix(3)
        playlist = live.store.playlist()
        held = [(name, body) for name, body, _ in live.store.ever]
        number = int(playlist.segments[0].key_uri.split("/")[2].partition("?")[0])
        key, vector = live.keys.key(number), playlist.segments[0].initial_vector
    segments = [body for name, body in held if name.endswith(".ts")]

    assert decoded(decrypted(segments[0], key, vector)).size > 40_000
    assert key not in b"".join(body for _, body in held)
    for body in segments:
        assert body[:1] != b"G" or body[188:189] != b"G"  # no transport stream
    with pytest.raises(KeysDestroyed):
        live.keys.key(number)


async def test_a_crowd_gets_its_keys_from_objects() -> None:
    """
    The key in use, and in time the next one, lie in a store of their own; a smaller
    audience has none there, nor has anybody after the end.
    """
    async with Broadcasting() as live:
        await live.begin()
        few = dict(live.key_store.objects)
        await live.crowd()
        in_time = len(live.key_store.objects)
        await live.until_rotation(KEY_AHEAD_S - 2)
        first = key_number(live.clock.utc().timestamp())
        shared = dict(live.key_store.objects)
        prefix = f"live-keys/{SPACE}/1/"
        keys = {f"{prefix}{n}": live.keys.key(n) for n in (first, first + 1)}
        await live.clock.advance(KEY_PERIOD_S + 2)
        later = set(live.key_store.objects)
        await live.hls.finish(space_ended=False)

        assert (few, in_time) == ({}, 1)
        assert shared == keys
        assert later == {f"{prefix}{first + step}" for step in (0, 1, 2)}
        assert live.key_store.objects == {}


@pytest.mark.parametrize("by", ["crash", "cancellation"])
@pytest.mark.parametrize("answers", [True, False])
async def test_no_key_object_outlives_hls(
    by: str, answers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    However it ends, and whether or not the store has said that it took them.
    """
    monkeypatch.setattr(key_objects, "SHARED_FROM", 2)
    monkeypatch.setattr(key_objects, "SHARED_UNTIL", 2)
    async with Broadcasting() as live:
        live.key_store.answers = answers
        await live.crowd(2)
        shared = dict(live.key_store.objects)
        if by == "crash":
            live.keys.destroy()  # nobody else does: the next segment cannot be made
            await live.mix(4)
        else:
            live.running.cancel()
        await settle()
        code = await live.refusal()

    assert len(shared) == 1
    assert live.key_store.objects == {}
    assert code is ControlError.HLS_UNAVAILABLE


async def test_keys_of_a_worker_that_was_killed_are_taken_away() -> None:
    """
    By the one after it, as soon as the store answers; what is of a later worker, or no
    key at all, is left alone.
    """
    prefix = f"live-keys/{SPACE}"
    live = Broadcasting(epoch=2)
    others = {f"{prefix}/3/8", f"{prefix}/notes"}
    live.key_store.objects = dict.fromkeys(
        (f"{prefix}/1/7", f"{prefix}/1/8", *others), b"a key"
    )
    live.key_store.refuses = lambda _: True
    async with live:
        await live.clock.advance(2)
        before = len(live.key_store.objects)
        live.key_store.refuses = lambda _: False
        await live.clock.advance(2)

        assert before == 4
        assert set(live.key_store.objects) == others


async def test_keys_of_who_serves_are_left_alone_until_they_are_relieved() -> None:
    """
    A successor runs before it has the epoch, and may never get it.
    """
    theirs = f"live-keys/{SPACE}/1/7"
    live = Broadcasting(epoch=2)
    live.fresh = False
    live.key_store.objects = {theirs: b"a key"}
    async with live:
        await live.clock.advance(2)
        before = set(live.key_store.objects)
        live.fresh = True
        await live.clock.advance(2)

        assert (before, live.key_store.objects) == ({theirs}, {})

"""Long frames for large rooms, FEC for lossy ones; the stage stays as it is."""

import itertools

from media_worker.audio.frames import EncodedFrame
from media_worker.audio.opus_packet import has_fec
from media_worker.room.long_frames import LongFrames
from spaces_contract.ids import SessionId
from spaces_contract.roles import PeerCloseReason, PeerKind, Role
from tests.audio import voice
from tests.room_doubles import LONG_FRAMES_FROM, RunningRoom, a_member, desired

ANA = a_member("ana", Role.HOST)
WHIP, WHEP = PeerKind.WHIP, PeerKind.WHEP


def durations(running: RunningRoom, session_id: SessionId) -> list[int]:
    """Return the samples of each packet that a session got."""
    return [frame.duration_samples for frame in running.endpoint.heard[session_id]]


def is_unbroken(running: RunningRoom, session_id: SessionId) -> bool:
    """Whether each packet begins where the one before it ended."""
    return all(
        before.timestamp + before.duration_samples == after.timestamp
        for before, after in itertools.pairwise(running.endpoint.heard[session_id])
    )


async def crowd(running: RunningRoom, size: int) -> list[SessionId]:
    """Let listeners come."""
    return [await running.connect(f"listener{n}", WHEP) for n in range(size)]


async def test_a_large_room_gets_long_frames_and_time_goes_on() -> None:
    """
    Listeners change to 60 ms and back; nothing is lost or sent twice.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        first, *others = await crowd(running, LONG_FRAMES_FROM - 1)
        await running.talk({ana: voice(1)})
        assert set(durations(running, first)) == {960}
        await running.connect("late", WHEP)
        await running.talk({ana: voice(1)})
        assert durations(running, first)[-5:] == [2_880] * 5
        for session_id in others:
            running.room.session_closed(session_id, PeerCloseReason.LEFT)
        await running.talk({ana: voice(1)})

        assert durations(running, first)[-5:] == [960] * 5
        assert is_unbroken(running, first)


async def test_who_is_on_stage_stays_at_20_ms() -> None:
    """
    Whether they talk, and hear a mix of their own, or not.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, a_member("bo", Role.SPEAKER)))
        ana = await running.connect("ana", WHIP)
        hears = [await running.connect(name, WHEP) for name in ("ana", "bo")]
        await crowd(running, LONG_FRAMES_FROM)
        await running.talk({ana: voice(1)})

        assert running.room.care.long_hearers == LONG_FRAMES_FROM
        for session_id in hears:
            assert set(durations(running, session_id)) == {960}


async def test_fec_comes_when_a_share_of_listeners_loses_packets() -> None:
    """
    One in four with 8 % loss brings FEC; when they are well again it goes.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        first, *_ = await crowd(running, LONG_FRAMES_FROM - 1)
        running.endpoint.lost[first] = 0.08
        await running.talk({ana: voice(6)})

        assert running.room.care.fec_percent == 8
        assert any(has_fec(f.payload) for f in running.endpoint.heard[first][-25:])
        running.endpoint.lost[first] = 0.0
        await running.talk({ana: voice(6)})
        assert running.room.care.fec_percent == 0
        assert not has_fec(running.endpoint.heard[first][-1].payload)


def test_a_gap_in_time_or_another_mode_begins_the_next_packet() -> None:
    """
    What was collected before it goes out at once, shorter.
    """
    frames = LongFrames()

    def add(timestamp: int, toc: int = 0xF8) -> EncodedFrame | None:
        payload = bytes([toc]) + b"sound"
        return frames.add(
            EncodedFrame(payload=payload, timestamp=timestamp, duration_samples=960)
        )

    assert add(0) is None
    assert add(960) is None
    early = add(9_600)
    assert early is not None
    assert (early.timestamp, early.duration_samples) == (0, 1_920)
    other = add(10_560, toc=0x48)
    assert other is not None
    assert (other.timestamp, other.duration_samples) == (9_600, 960)
    assert not frames.is_empty

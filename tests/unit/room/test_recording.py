"""What a room tells its recorder, and everybody of its recording."""

import numpy as np
import pytest

from media_worker.room.echo_warning import warn_of_echo
from media_worker.room.ports import DesiredState
from spaces_contract.ids import UserId
from spaces_contract.recording import RecordingState
from spaces_contract.roles import PeerKind
from tests.audio import Samples, level_at, rms, voice
from tests.room_doubles import RunningRoom, a_member, desired

ANA, BO = a_member("ana"), a_member("bo")
TONE_SAMPLES = 7_680  # 160 ms


async def test_the_recorder_is_told_of_every_state_and_packet() -> None:
    """
    Whoever sends is named with each packet; listeners and strangers never are.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana = await running.connect("ana", PeerKind.WHIP)
        await running.connect("lea", PeerKind.WHEP)
        await running.talk({ana: voice(0.1)})
        running.room.apply(desired(BO))
        await running.clock.advance(0.1)

    heard = running.recorder.heard
    assert [item for item in heard if item == UserId("ana")] == [UserId("ana")] * 5
    states = [item for item in heard if isinstance(item, DesiredState)]
    assert [set(state.stage) for state in states] == [{"ana", "bo"}, {"bo"}]
    assert isinstance(heard[0], DesiredState)


async def test_a_state_that_changes_by_itself_is_published() -> None:
    """
    A recording that pauses because the worker knows too little shows within 2 s.
    """
    async with RunningRoom() as running:
        running.recorder.state = RecordingState.RECORDING
        running.recorder.notice_version = "2026-01"
        running.room.apply(desired(ANA))
        await running.clock.advance(1.5)
        running.recorder.state = RecordingState.PAUSED
        await running.clock.advance(3.0)

    shown = [room.recording_state for room in running.publisher.rooms]
    assert (shown[0], shown[-1]) == ("recording", "paused")
    assert running.publisher.rooms[-1].recording_notice_version == "2026-01"


async def heard_when(before: RecordingState | None, after: RecordingState) -> Samples:
    """Return what a listener hears when the recording's state changes."""
    async with RunningRoom() as running:
        if before is not None:
            running.recorder.state = before
            running.room.apply(desired(ANA))
        lea = await running.connect("lea", PeerKind.WHEP)
        await running.clock.advance(0.2)
        running.endpoint.heard.clear()
        running.recorder.changes_to = after
        running.room.apply(desired(ANA, BO))
        await running.clock.advance(0.5)
        return running.heard_by(lea)


@pytest.mark.parametrize("before", [RecordingState.OFF, RecordingState.PENDING])
async def test_everybody_hears_that_a_recording_begins(before: RecordingState) -> None:
    """
    Two short tones, one after the other, are in the mix once.
    """
    heard = await heard_when(before, RecordingState.RECORDING)

    loud = np.abs(heard.astype(np.int32)) > 500
    start = int(np.argmax(loud))
    low = heard[start + 960 : start + TONE_SAMPLES - 960]
    high = heard[start + TONE_SAMPLES + 960 : start + 2 * TONE_SAMPLES - 960]
    assert level_at(low, 660) > 2_000 > 200 > level_at(low, 880)
    assert level_at(high, 880) > 2_000 > 200 > level_at(high, 660)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (RecordingState.PAUSED, RecordingState.RECORDING),
        (RecordingState.RECORDING, RecordingState.RECORDING),
        (RecordingState.OFF, RecordingState.PENDING),
        (RecordingState.RECORDING, RecordingState.FINISHING),
        (None, RecordingState.RECORDING),
    ],
)
async def test_nothing_else_makes_a_sound(
    before: RecordingState | None, after: RecordingState
) -> None:
    """
    Going on, also in a worker that took over from one that crashed, is silent.
    """
    assert rms(await heard_when(before, after)) < 5


async def test_whose_microphone_echoes_is_advised_and_nobody_else() -> None:
    """
    The message goes to that person's channel; who has none is not told.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana = await running.connect("ana", PeerKind.WHIP)
        await running.connect("bo", PeerKind.WHIP)
        for user_id in ("ana", "lea"):
            warn_of_echo(
                UserId(user_id), endpoint=running.endpoint, book=running.room.book
            )

    told = [to for to, message in running.endpoint.told if message["type"] == "echo"]
    assert told == [ana]

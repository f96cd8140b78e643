"""People in a room hear whom they should, at once and without a click."""

import numpy as np
import pytest

from media_worker.room.ports import FULL_MIX
from media_worker.room.stage_audio import own_mix
from spaces_contract.ids import UserId
from spaces_contract.roles import PeerKind, Role
from tests.audio import level_at, rms, similarity, tone, voice
from tests.room_doubles import RunningRoom, a_member, desired

ANA, BO = a_member("ana", Role.HOST), a_member("bo")
WHIP, WHEP = PeerKind.WHIP, PeerKind.WHEP


async def test_a_listener_hears_the_stage() -> None:
    """
    What a speaker says arrives at a listener, the same in shape and loudness.
    """
    source = voice(2)
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)
        listener = await running.connect("lea", WHEP)

        await running.talk({ana: source})

        heard = running.heard_by(listener)
    assert similarity(source, heard) > 0.95
    assert rms(heard) == pytest.approx(rms(source), rel=0.15)


async def test_nobody_hears_themselves() -> None:
    """
    Two tones at once: each speaker's return has the other's alone, a listener's both.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana, bo = await running.connect("ana", WHIP), await running.connect("bo", WHIP)
        hears = {name: await running.connect(name, WHEP) for name in ("ana", "bo", "l")}

        await running.talk({ana: tone(450, seconds=2), bo: tone(900, seconds=2)})

        late = {name: running.heard_by(to)[-48_000:] for name, to in hears.items()}
    assert level_at(late["ana"], 900) == pytest.approx(8_000, rel=0.1)
    assert level_at(late["ana"], 450) < 80
    assert level_at(late["bo"], 450) == pytest.approx(8_000, rel=0.1)
    assert level_at(late["l"], 450) == pytest.approx(8_000, rel=0.1)
    assert level_at(late["l"], 900) == pytest.approx(8_000, rel=0.1)


async def test_only_those_who_talk_have_a_mix_of_their_own() -> None:
    """
    Who is silent hears the full mix; who talks their own, and later the full again.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana = await running.connect("ana", WHIP)
        hears_ana, hears_bo = (
            await running.connect("ana", WHEP),
            await running.connect("bo", WHEP),
        )

        await running.talk({ana: voice(1)})
        sources = dict(running.endpoint.sources)
        await running.clock.advance(2.0)

    assert sources.get(hears_ana) == own_mix(UserId("ana"))
    assert sources.get(hears_bo, FULL_MIX) == FULL_MIX
    assert running.endpoint.sources[hears_ana] == FULL_MIX


async def test_switching_mixes_makes_no_glitch() -> None:
    """
    Bo talks on while Ana begins and ends: what Ana hears of Bo stays whole.
    """
    bo_says = tone(450, amplitude=6_000, seconds=4)
    ana_says = np.concatenate(
        [tone(900, amplitude=0, seconds=1), voice(1), tone(900, amplitude=0, seconds=2)]
    )
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana, bo = await running.connect("ana", WHIP), await running.connect("bo", WHIP)
        hears_ana = await running.connect("ana", WHEP)

        await running.talk({ana: ana_says, bo: bo_says})

        heard = running.heard_by(hears_ana)[24_000:]
    levels = [
        level_at(heard[n : n + 960], 450) for n in range(0, heard.size - 960, 960)
    ]
    assert min(levels) > 5_000
    assert max(levels) < 7_000


async def test_mute_takes_effect_with_the_next_block() -> None:
    """
    From the tick after the document changed, nothing of the muted is in the mix.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana, listener = (
            await running.connect("ana", WHIP),
            await running.connect("l", WHEP),
        )
        await running.talk({ana: tone(450, seconds=1)})

        running.room.apply(desired(a_member("ana", Role.HOST, muted=True)))
        ticks = running.endpoint.ticks
        await running.talk({ana: tone(450, seconds=1)})

        silent = running.heard_by(listener)[(ticks + 2) * 960 :]
        speaker = running.room.stage.speakers[UserId("ana")]
    assert np.abs(silent).max() < 40  # the codec's own tail
    assert np.abs(silent[-24_000:]).max() <= 2
    assert speaker.muted_packets == 50


async def test_frames_name_who_talks() -> None:
    """
    The mix's CSRCs are the talkers'; nobody's own mix names themselves.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA, BO))
        ana, listener = (
            await running.connect("ana", WHIP),
            await running.connect("l", WHEP),
        )
        own = await running.connect("ana", WHEP)

        await running.talk({ana: voice(1)})

        full, minus = running.endpoint.heard[listener], running.endpoint.heard[own]
        csrc = {m.uid: m.csrc for m in running.room.board.room.stage}["ana"]
    assert full[-10].csrcs == (csrc,)
    assert len(full[-10].levels_dbov) == 1
    assert minus[-10].csrcs == ()


async def test_timestamps_advance_by_a_block() -> None:
    """
    Every frame's timestamp is 960 after the one before.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        listener = await running.connect("l", WHEP)
        await running.clock.advance(1.0)

        stamps = [frame.timestamp for frame in running.endpoint.heard[listener]]
    assert set(np.diff(stamps).tolist()) == {960}


async def test_a_removed_speaker_is_out_of_the_mix_at_once() -> None:
    """
    Packets that still come before the session is gone are dropped.
    """
    async with RunningRoom() as running:
        running.room.apply(desired(ANA))
        ana = await running.connect("ana", WHIP)

        running.room.apply(desired(removed=["ana"]))

        assert UserId("ana") not in running.room.stage.speakers
        await running.talk({ana: tone(450)})

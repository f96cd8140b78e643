"""What the stage's mixes carry, without a room around it."""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from media_worker.audio.opus import Decoder, Encoder
from media_worker.audio.playout import Playout
from media_worker.room.ports import FULL_MIX
from media_worker.room.stage_audio import StageAudio, own_mix
from spaces_contract.ids import UserId
from tests.audio import Samples, blocks_of, rms, voice
from tests.network import PTIME_S, Network

ANA, BO, LEA = UserId("ana"), UserId("bo"), UserId("lea")


def mixes(
    voices: Mapping[UserId, Samples],
    *,
    expected_loss: int = 0,
    heard: Callable[[Mapping[UserId, Samples]], None] = lambda _: None,
) -> dict[str, list[bytes]]:
    """Return the packets of each source while people talk and all of them hear."""
    stage, network = StageAudio(Decoder, heard=heard), Network()
    encoders = {user_id: Encoder() for user_id in voices}
    for csrc, user_id in enumerate(voices):
        stage.add(user_id, csrc=csrc, muted=False)
    stage.expect_loss(expected_loss)
    packets: dict[str, list[bytes]] = {}
    spoken = zip(*(blocks_of(said) for said in voices.values()), strict=True)
    for number, blocks in enumerate(spoken):
        now_s = 1.0 + number * PTIME_S
        for (user_id, encoder), block in zip(encoders.items(), blocks, strict=True):
            packet = network.packet(number, now_s)
            stage.insert(user_id, replace(packet, payload=encoder.encode(block)))
        for source, frame in stage.tick(now_s, {*voices, LEA}).frames.items():
            packets.setdefault(source, []).append(frame.payload)
    stage.close()
    for encoder in encoders.values():
        encoder.close()
    return packets


@pytest.mark.parametrize("source", [FULL_MIX, own_mix(ANA)])
def test_who_loses_packets_is_given_them_back_by_fec(source: str) -> None:
    """
    Of every tenth packet lost most come back, whichever mix somebody hears.
    """
    said = {ANA: voice(3), BO: voice(3, seed=3, pitch_hz=210)}
    packets = mixes(said, expected_loss=10)[source]

    playout = Playout(Decoder())
    network = Network(
        delay_s=lambda n: None if n % 10 == 5 else 0.0, payloads=lambda n: packets[n]
    )
    network.run(playout, network.arrivals(len(packets)))
    playout.close()

    counts = playout.buffer.counts
    assert counts.lost >= len(packets) // 10 - 1
    assert counts.recovered >= 0.75 * counts.lost


def test_a_soft_voice_is_heard_as_loud_as_another() -> None:
    """
    Ana, 9 dB softer than Bo, is within 3 dB of him after some seconds.
    """
    spoken = np.tile(voice(1), 6)
    heard = mixes({ANA: (spoken * 0.355).astype(np.int16), BO: spoken})

    ana, bo = (loudness_db(heard[own_mix(user_id)]) for user_id in (BO, ANA))

    assert abs(ana - bo) < 3


def test_a_recorder_gets_voices_as_they_came() -> None:
    """
    Levelling is for who listens now: a soft voice is given on as soft as it is.
    """
    spoken = (np.tile(voice(1), 6) * 0.25).astype(np.int16)
    given: list[Samples] = []

    mixes({ANA: spoken}, heard=lambda blocks: given.extend(blocks.values()))

    last_s = np.concatenate(given[-50:])
    assert rms(last_s) == pytest.approx(rms(spoken[-48_000:]), rel=0.1)


def loudness_db(packets: list[bytes]) -> float:
    """Return the loudness of the last second of `packets`."""
    with Decoder() as decoder:
        blocks = [decoder.decode(packet) for packet in packets]
    return 20 * math.log10(rms(np.concatenate(blocks[-50:])))

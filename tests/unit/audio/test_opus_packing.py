"""Three packets in one decode to the same sound."""

import numpy as np
import pytest

from media_worker.audio.opus import Decoder, Encoder
from media_worker.audio.opus_packet import duration_samples
from media_worker.audio.opus_packing import can_pack, pack
from tests.audio import blocks_of, voice


@pytest.mark.parametrize("loss_percent", [0, 10])
def test_a_packed_packet_decodes_to_the_same_samples(loss_percent: int) -> None:
    """
    Both in the music mode and in the voice mode that has FEC.
    """
    with Encoder() as encoder, Decoder() as one, Decoder() as three:
        encoder.expect_loss(loss_percent)
        packets = [encoder.encode(block) for block in blocks_of(voice(1))[3:]]
        trios = [packets[n : n + 3] for n in range(0, len(packets) - 2, 3)]
        packed = [pack(trio) for trio in trios if can_pack(trio[0], trio[1])]
        short = np.concatenate([one.decode(p) for trio in trios for p in trio])
        long = np.concatenate([three.decode(packet) for packet in packed])

    assert len(packed) == len(trios)
    assert {duration_samples(packet) for packet in packed} == {2_880}
    assert np.array_equal(short, long)


@pytest.mark.parametrize("size", [0, 1, 251, 252, 253, 254, 255, 256, 700])
def test_frames_of_any_length_keep_it(size: int) -> None:
    """
    Lengths from 252 take two bytes (RFC 6716 3.2.1).
    """
    packed = pack([b"\xf8" + bytes(size), b"\xf8" + b"x"])

    length_bytes = 2 if size >= 252 else 1
    assert packed[:2] == b"\xfb\x82"
    assert len(packed) == 2 + length_bytes + size + 1
    if size >= 252:
        assert packed[2] + 4 * packed[3] == size


def test_packets_of_other_modes_do_not_go_together() -> None:
    """
    Nor do packets which hold several frames already, nor none.
    """
    assert not can_pack(b"\xf8a", b"\xf0a")
    assert not can_pack(b"\xf9a", b"\xf9a")
    for packets in ([], [b"\xf8a", b"\xf0a"]):
        with pytest.raises(ValueError, match="go together"):
            pack(packets)

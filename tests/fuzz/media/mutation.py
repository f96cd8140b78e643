"""Inputs that are nearly right: seeds with a few things broken."""

import random
from collections.abc import Iterator, Sequence
from typing import Final

_BOUNDARIES: Final = (0, 1, 2, 3, 4, 15, 16, 31, 32, 63, 127, 128, 191, 192, 255)
MAX_BYTES: Final = 40_000


def mutations(
    seeds: Sequence[bytes], count: int, seed: int, *, tokens: Sequence[bytes] = ()
) -> Iterator[bytes]:
    """
    Yield `count` inputs, the same for the same arguments.

    Args:
        tokens: Pieces that a format gives meaning to, to insert here and there.
    """
    source = random.Random(seed)
    for _ in range(count):
        data = bytearray(source.choice(seeds))
        for _ in range(source.choice((1, 1, 2, 3, 8))):
            _mutate(data, source, seeds, tokens)
        yield bytes(data[:MAX_BYTES])


def _mutate(
    data: bytearray,
    source: random.Random,
    seeds: Sequence[bytes],
    tokens: Sequence[bytes],
) -> None:
    at = source.randrange(len(data) + 1)
    end = min(len(data), at + source.choice((1, 2, 4, 16, 64)))
    match source.randrange(8):
        case 0:
            data[at:] = b""
        case 1:
            del data[at:end]
        case 2:
            data[at:at] = data[at:end]
        case 3:
            data[at:end] = source.randbytes(end - at)
        case 4:
            other = source.choice(seeds)
            data[at:] = other[source.randrange(len(other) + 1) :]
        case 5 if tokens:
            data[at:at] = source.choice(tokens)
        case 6 if at < len(data):
            data[at] ^= 1 << source.randrange(8)
        case _ if at < len(data):
            data[at] = source.choice(_BOUNDARIES)
        case _:
            data += source.randbytes(4)

"""Whether somebody hears what is said, on a machine that may be busy for a while."""

from collections.abc import Awaitable, Callable
from typing import Final

from tests.similarity import likeness
from tests.speech import Samples

# Measured: a copy has 1 and 1; what goes through two Opus codings, two jitter buffers
# and a limiter, on a machine busy with other work, 0.8 and 0.67; the same reader's
# other sentence 0.5 and 0.2, a copy of which every other half second is missing 0.6.
MIN_ENVELOPE: Final = 0.65
MIN_WAVEFORM: Final = 0.5
# Without processor time a mixer skips blocks and a player waits, for seconds at a time.
# Whoever hears nothing, or another voice, goes on to do so.
TRIES: Final = 4


async def expect_heard(
    record: Callable[[], Awaitable[Samples]], said: Samples
) -> Samples:
    """
    Record until that is like what was said, `TRIES` times at most; return it.

    Args:
        record: Returns what is heard next, more than one loop of what was said.

    Raises:
        AssertionError: nothing of it was alike.
    """
    found = []
    for _ in range(TRIES):
        heard = await record()
        alike = likeness(heard, said)
        if alike.envelope >= MIN_ENVELOPE and alike.waveform >= MIN_WAVEFORM:
            return heard
        found.append(alike)
    raise AssertionError(f"what was heard is not what was said: {found}")

"""The datagram that carries a tick to an egress process."""

from hypothesis import given, settings
from hypothesis import strategies as st

from media_worker.audio.frames import EncodedFrame
from media_worker.egress.processes import feed
from media_worker.egress.processes.feed import Tick, pack, unpack
from spaces_contract.ids import SessionId

U32 = st.integers(0, 2**32 - 1)
SOURCES = st.text(max_size=40)


@st.composite
def frames(draw: st.DrawFn) -> EncodedFrame:
    """Return any frame."""
    csrcs = tuple(draw(st.lists(U32, max_size=15)))
    count = draw(st.sampled_from([0, len(csrcs)]))
    levels = st.lists(st.integers(0, 127), min_size=count, max_size=count)
    return EncodedFrame(
        payload=draw(st.binary(min_size=1, max_size=1_200)),
        timestamp=draw(U32),
        duration_samples=draw(st.sampled_from([960, 2_880])),
        csrcs=csrcs,
        levels_dbov=tuple(draw(levels)),
        skipped=draw(st.integers(0, 3_000)),
    )


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.text(max_size=30).map(SessionId), SOURCES), max_size=5),
    st.dictionaries(SOURCES, frames(), max_size=4),
)
def test_what_is_packed_comes_out(
    turns: list[tuple[SessionId, str]], by_source: dict[str, EncodedFrame]
) -> None:
    """
    Turns in their order, every frame with all that packets are stamped from.
    """
    tick = unpack(pack(Tick(turns, by_source)))

    assert list(tick.turns) == turns
    assert tick.frames == by_source


def test_the_largest_tick_is_one_datagram() -> None:
    """
    A full load of turns, the full mix in both lengths and 13 mixes of speakers.
    """
    frame = EncodedFrame(
        payload=bytes(1_200),
        timestamp=0,
        duration_samples=2_880,
        csrcs=tuple(range(15)),
        levels_dbov=tuple(range(15)),
    )
    turn = (SessionId("s" * 24), "minus:" + "u" * 128)
    sources = [f"minus:{index:0128}" for index in range(15)]

    datagram = pack(Tick([turn] * feed.MAX_TURNS, dict.fromkeys(sources, frame)))

    assert len(datagram) < 64 * 1024

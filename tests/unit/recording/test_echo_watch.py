"""Who did not consent is listened to only as long as there is a reason."""

import weakref

import numpy as np
import pytest

from media_worker.recording.echo_watch import EchoWatch
from spaces_contract.ids import UserId
from tests.audio import tone
from tests.room_doubles import TurnedClock

ANA, BO = UserId("ana"), UserId("bo")


@pytest.mark.parametrize(
    ("consenting", "others"), [((ANA,), ()), ((), (BO,)), ((), ())]
)
def test_a_voice_is_let_go_once_it_is_of_no_use(
    consenting: tuple[UserId, ...], others: tuple[UserId, ...]
) -> None:
    """
    Nobody left whom it could echo to, or whose it is: nothing of it stays in memory.
    """
    watch = EchoWatch(clock=TurnedClock(), warn=lambda _: None)
    watch.watch(consenting={ANA}, others={BO})
    block = np.array(tone(450, seconds=0.02))
    said = weakref.ref(block)
    watch.blocks_heard({BO: block})
    del block
    kept = said() is not None

    watch.watch(consenting=set(consenting), others=set(others))

    assert kept
    assert said() is None

"""Who loses packets, here and elsewhere."""

import pytest

from media_worker.room.listener_loss import ListenerLoss
from spaces_contract.relays import RelayReport


@pytest.mark.parametrize(
    ("fractions", "loss"),
    [
        ((), ListenerLoss()),
        ((0.0, 0.019), ListenerLoss(2, 0, 0)),
        ((0.0, 0.02, 0.08, 0.5), ListenerLoss(4, 3, 8)),
    ],
)
def test_loss_is_counted_from_two_percent_on(
    fractions: tuple[float, ...], loss: ListenerLoss
) -> None:
    """
    Below it concealment is enough; the typical one is the median of those above.
    """
    assert ListenerLoss.of(fractions) == loss


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        ([], ListenerLoss()),
        ([ListenerLoss(10), ListenerLoss(90, 9, 5)], ListenerLoss(100, 9, 5)),
        ([ListenerLoss(10, 3, 30), ListenerLoss(90, 9, 5)], ListenerLoss(100, 12, 5)),
        ([ListenerLoss(10, 9, 30), ListenerLoss(90, 3, 5)], ListenerLoss(100, 12, 30)),
    ],
)
def test_many_weigh_more_than_few(
    parts: list[ListenerLoss], whole: ListenerLoss
) -> None:
    """
    What is typical of all is what most of the lossy lose, wherever they listen.
    """
    assert ListenerLoss.together(parts) == whole


def test_a_report_is_bounded_and_may_be_of_before() -> None:
    """
    More lossy ones than listeners are refused; relays of before tell of no loss.
    """
    fields = {"control_url": "http://a", "listeners": 5, "capacity": 9}
    told = RelayReport.from_fields(fields)

    assert (told.lossy, told.loss_percent) == (0, 0)
    for wrong in ({"lossy": 6}, {"loss_percent": 101}, {"lossy": "1"}, {"lossy": -1}):
        with pytest.raises(ValueError, match="report"):
            RelayReport.from_fields(fields | wrong)

"""What listeners get as their number and their networks demand: long frames, FEC."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import islice
from typing import Final

from spaces_contract.ids import SessionId, UserId

from .listener_loss import ListenerLoss
from .ports import FULL_MIX, LONG_MIX, MediaEndpoint
from .stage_audio import StageAudio

KEEP_LONG_SHARE: Final = 0.8  # of the threshold: a room at its edge does not flap
MOVES_AT_A_BOUNDARY: Final = 100  # each costs the tick some 20 us
FEC_FROM_SHARE: Final = 0.10  # of all listeners have loss
FEC_UNTIL_SHARE: Final = 0.05
LOSS_CHECK_TICKS: Final = 250  # clients report about so often
MIN_FEC_PERCENT: Final = 5
MAX_FEC_PERCENT: Final = 20


class ListenerCare:
    """
    Decides who hears the full mix in packets of 60 ms, and how much FEC mixes carry.

    Whoever is on stage stays at 20 ms: for them delay counts.

    Args:
        long_frames_from: Listeners from which on the others get 60 ms.

    Attributes:
        elsewhere: Listeners of relays, which hear what a relay hears, and how each
            relay's fare.
    """

    def __init__(
        self, endpoint: MediaEndpoint, stage: StageAudio, long_frames_from: int
    ) -> None:
        self._endpoint = endpoint
        self._stage = stage
        self._ticks = 0
        self._long_frames_from = long_frames_from
        self._large = False
        self._long: set[SessionId] = set()
        self.fec_percent = 0
        self.elsewhere: Sequence[ListenerLoss] = ()

    @property
    def long_hearers(self) -> int:
        """How many get packets of 60 ms."""
        return len(self._long)

    @property
    def needs_long(self) -> bool:
        """Whether long frames have to be made."""
        return self._large or bool(self._long)

    def attend(
        self,
        hearers: Mapping[UserId, SessionId],
        on_stage: Collection[UserId],
        *,
        own: AbstractSet[UserId],
    ) -> None:
        """
        Change what listeners hear, before each tick.

        Their streams change over where a long frame begins: time goes on unbroken.

        Args:
            hearers: All who receive.
            own: Those who are routed to a mix of their own.
        """
        self._ticks += 1
        if self._ticks % LOSS_CHECK_TICKS == 0:
            lost = map(self._endpoint.fraction_lost, hearers.values())
            here = ListenerLoss.of(lost)
            self._note_loss(ListenerLoss.together([here, *self.elsewhere]))
        hearing = len(hearers) + self._relayed
        may_be_large = self.needs_long or hearing >= self._long_frames_from
        if may_be_large and self._stage.begins_long_frame:
            self._judge_size(hearers, on_stage)
            moves = self._moves(hearers, on_stage, own) if self.needs_long else ()
            for session_id, source in islice(moves, MOVES_AT_A_BOUNDARY):
                self._endpoint.hear(session_id, source)

    def _judge_size(
        self, hearers: Mapping[UserId, SessionId], on_stage: Collection[UserId]
    ) -> None:
        on_stage_here = sum(user_id in hearers for user_id in on_stage)
        listeners = len(hearers) + self._relayed - on_stage_here
        share = KEEP_LONG_SHARE if self._large else 1.0
        self._large = listeners >= share * self._long_frames_from

    def _moves(
        self,
        hearers: Mapping[UserId, SessionId],
        on_stage: Collection[UserId],
        own: AbstractSet[UserId],
    ) -> Iterator[tuple[SessionId, str]]:
        """Yield who shall hear what else; what is not asked for comes the next time."""
        self._long.intersection_update(hearers.values())
        for user_id, session_id in hearers.items():
            wanted = self._large and user_id not in on_stage
            if user_id in own:
                self._long.discard(session_id)
            elif wanted and session_id not in self._long:
                self._long.add(session_id)
                yield session_id, LONG_MIX
            elif not wanted and session_id in self._long:
                self._long.discard(session_id)
                yield session_id, FULL_MIX

    @property
    def _relayed(self) -> int:
        return sum(loss.listeners for loss in self.elsewhere)

    def _note_loss(self, loss: ListenerLoss) -> None:
        # FEC takes quality from everybody: it is there only while it helps many.
        if loss.share < (FEC_UNTIL_SHARE if self.fec_percent else FEC_FROM_SHARE):
            self.fec_percent = 0
        elif loss.lossy:
            self.fec_percent = min(MAX_FEC_PERCENT, max(MIN_FEC_PERCENT, loss.percent))
        self._stage.expect_loss(self.fec_percent)

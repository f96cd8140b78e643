"""Asking whoever comes on stage while a recording goes on, by push."""

from dataclasses import dataclass

from ..domain.participant import Participant
from ..domain.personal import of_recording
from ..domain.recording import is_recorded
from ..domain.space import Space
from .announcing import page_effect
from .ports import Clock, EffectQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingAsks:
    """Asks each person once per recording, as those are who were there at its start."""

    effects: EffectQueue
    now: Clock

    def seated(self, space: Space, member: Participant | None) -> None:
        """
        Have them asked, where they are on stage and voices are taken in.

        Raises:
            DependencyUnavailable: seat them again; that is harmless.
        """
        if member is not None and member.on_stage and is_recorded(space):
            asked = of_recording(space.id, member.user_id)
            self.effects.put(page_effect(asked, 0, self.now()))

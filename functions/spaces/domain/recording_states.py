"""States of recordings and of consents as tables; nothing else moves them."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from spaces_contract.recording import RecordingState

from .recording_errors import WrongRecordingState

# Voices are taken in, or may be again after a pause.
OPEN: Final = frozenset(
    {RecordingState.PENDING, RecordingState.RECORDING, RecordingState.PAUSED}
)
# No voice is taken in any more, and what there is may still be rendered.
KEPT: Final = frozenset(
    {RecordingState.FINISHING, RecordingState.READY, RecordingState.FAILED}
)
# Somebody has to do something about it, once its Space is over.
UNFINISHED: Final = OPEN | {RecordingState.FINISHING}


class RecordingEvent(StrEnum):
    """What moves a recording."""

    REQUEST = "request"  # by host or co-host; it is nobody's consent
    BEGIN = "begin"  # the first consent is there
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"  # by a host, or with the Space
    PUBLISH = "publish"  # a render is done
    FAIL = "fail"  # no render can be made
    RENDER = "render"  # once more: a voice was withdrawn
    ERASE = "erase"


RECORDING_TRANSITIONS: Final[
    Mapping[tuple[RecordingState, RecordingEvent], RecordingState]
] = MappingProxyType(
    {
        (RecordingState.OFF, RecordingEvent.REQUEST): RecordingState.PENDING,
        (RecordingState.PENDING, RecordingEvent.BEGIN): RecordingState.RECORDING,
        # Nothing was taken in: who has answered need not be asked again later.
        (RecordingState.PENDING, RecordingEvent.STOP): RecordingState.OFF,
        (RecordingState.RECORDING, RecordingEvent.PAUSE): RecordingState.PAUSED,
        (RecordingState.RECORDING, RecordingEvent.STOP): RecordingState.FINISHING,
        (RecordingState.PAUSED, RecordingEvent.RESUME): RecordingState.RECORDING,
        (RecordingState.PAUSED, RecordingEvent.STOP): RecordingState.FINISHING,
        (RecordingState.FINISHING, RecordingEvent.PUBLISH): RecordingState.READY,
        (RecordingState.FINISHING, RecordingEvent.FAIL): RecordingState.FAILED,
        (RecordingState.FINISHING, RecordingEvent.RENDER): RecordingState.FINISHING,
        (RecordingState.FINISHING, RecordingEvent.ERASE): RecordingState.ERASED,
        (RecordingState.READY, RecordingEvent.RENDER): RecordingState.FINISHING,
        (RecordingState.READY, RecordingEvent.ERASE): RecordingState.ERASED,
        (RecordingState.FAILED, RecordingEvent.RENDER): RecordingState.FINISHING,
        (RecordingState.FAILED, RecordingEvent.ERASE): RecordingState.ERASED,
    }
)


def moved(state: RecordingState, event: RecordingEvent) -> RecordingState:
    """
    Return what `event` makes of a recording in `state`.

    Raises:
        WrongRecordingState: the pair is not in the table.
    """
    try:
        return RECORDING_TRANSITIONS[state, event]
    except KeyError:
        detail = f"Cannot {event.value} a recording that is {state.value}."
        raise WrongRecordingState(detail, state=state.value) from None


class ConsentState(StrEnum):
    """What one person says to one recording; known to them alone."""

    ASKED = "asked"  # never stored: whoever is on stage has been asked
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class ConsentEvent(StrEnum):
    """What a person does about it."""

    GRANT = "grant"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


CONSENT_TRANSITIONS: Final[Mapping[tuple[ConsentState, ConsentEvent], ConsentState]] = (
    MappingProxyType(
        {
            (ConsentState.ASKED, ConsentEvent.GRANT): ConsentState.GRANTED,
            (ConsentState.ASKED, ConsentEvent.DECLINE): ConsentState.DECLINED,
            # Of their own accord; they are not asked again.
            (ConsentState.DECLINED, ConsentEvent.GRANT): ConsentState.GRANTED,
            (ConsentState.GRANTED, ConsentEvent.GRANT): ConsentState.GRANTED,  # scopes
            (ConsentState.GRANTED, ConsentEvent.DECLINE): ConsentState.WITHDRAWN,
            (ConsentState.GRANTED, ConsentEvent.WITHDRAW): ConsentState.WITHDRAWN,
            (ConsentState.WITHDRAWN, ConsentEvent.GRANT): ConsentState.GRANTED,
        }
    )
)

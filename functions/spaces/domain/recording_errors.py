"""
What can be refused about recordings.

    SpaceError
    ├── NotFound    RecordingNotFound  ConsentNotFound  ClipNotFound
    ├── NotAllowed  RecordingPrivate  NotInRecording
    └── Conflict    WrongRecordingState  RecordingClosed  RecordingNotReady
                    NotAsked  NoticeOutdated  RecordingNoticeRequired
                    AnsweredTooOften  ClipNotConsented  NothingToClip
                    ClipNotReady
"""

from typing import Any

from .errors import Conflict, NotAllowed, NotFound


class RecordingNotFound(NotFound):
    code = "recording-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such recording.")


class ConsentNotFound(NotFound):
    code = "consent-not-found"

    def __init__(self) -> None:
        super().__init__("You have not consented to this recording.")


class RecordingPrivate(NotAllowed):
    code = "recording-private"

    def __init__(self) -> None:
        super().__init__("The host keeps this recording private.")


class ClipNotFound(NotFound):
    code = "clip-not-found"

    def __init__(self) -> None:
        super().__init__("There is no such clip.")


class NotInRecording(NotAllowed):
    code = "not-in-recording"

    def __init__(self) -> None:
        super().__init__("Clips are made by hosts, and by those who are heard in it.")


class WrongRecordingState(Conflict):
    """`state` is the recording's."""

    code = "wrong-recording-state"


class RecordingClosed(Conflict):
    """A Space has one recording; `state` says what became of it."""

    code = "recording-closed"

    def __init__(self, state: str) -> None:
        super().__init__("The recording of this Space is over.", state=state)


class RecordingNotReady(Conflict):
    """`state` says why there is nothing to play."""

    code = "recording-not-ready"

    def __init__(self, state: str) -> None:
        super().__init__(f"There is nothing to play: it is {state}.", state=state)


class NotAsked(Conflict):
    code = "not-asked"

    def __init__(self) -> None:
        super().__init__("Only people on stage are asked whether to be recorded.")


class NoticeOutdated(Conflict):
    """`notice` is the one that is to be shown now."""

    code = "notice-outdated"

    def __init__(self, notice: dict[str, Any]) -> None:
        super().__init__(
            "The notice has changed: show this one, and ask again.", notice=notice
        )


class RecordingNoticeRequired(Conflict):
    """`notice` is to be shown before joining again with its version."""

    code = "recording-notice-required"

    def __init__(self, notice: dict[str, Any]) -> None:
        super().__init__(
            "This Space is recorded: show the notice, then join with its version.",
            notice=notice,
        )


class AnsweredTooOften(Conflict):
    """Withdrawing and declining are never refused; granting time and again is."""

    code = "answered-too-often"

    def __init__(self) -> None:
        super().__init__("You have changed your answer too often in this recording.")


class ClipNotConsented(Conflict):
    """Nobody is named: which minutes are free is to be heard from the recording."""

    code = "clip-not-consented"

    def __init__(self) -> None:
        super().__init__("Not everybody who is heard there has agreed to clips.")


class NothingToClip(Conflict):
    code = "nothing-to-clip"

    def __init__(self) -> None:
        super().__init__("Nobody is heard there.")


class ClipNotReady(Conflict):
    """`state` says why there is nothing to play."""

    code = "clip-not-ready"

    def __init__(self, state: str) -> None:
        super().__init__(f"This clip is {state}.", state=state)

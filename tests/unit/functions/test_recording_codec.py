"""Recordings as documents, also those that an older release has stored."""

from spaces.adapters.firestore.recording_codec import (
    recording_from_doc,
    recording_to_doc,
)
from spaces_contract.recording import RecordingState
from tests.builders import SPACE_ID
from tests.recording_builders import a_recording, a_voice


def test_a_recording_of_before_there_were_clips_is_read() -> None:
    """
    Else nobody could take their voice out of it any more, nor would it expire.
    """
    recording = a_recording(RecordingState.READY, voices=(a_voice("ana"),))
    older = recording_to_doc(recording)
    del older["clips"], older["clips_made"], older["clips_due_at"]

    assert recording_from_doc(SPACE_ID, older) == recording

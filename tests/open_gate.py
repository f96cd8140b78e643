"""A gate that nothing closes; each test closes what it is about."""

from typing import Final

from media_worker.recording.gate import GateFacts

OPEN: Final = GateFacts(
    recording=True,
    consented=True,
    on_stage=True,
    unmuted=True,
    fresh=True,
    paused=False,
    keyed=True,
)

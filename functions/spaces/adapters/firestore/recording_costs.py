"""What calls about recordings read and write: the second half of `costs`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from .costs import BLOCK, LIVE, MEMBER, OUTBOX, SPACE, Cost

RECORDING: Final = "spaces/{space}/runtime/recording: how it is, and who consented"
CONSENT: Final = "spaces/{space}/consents/{uid}: the caller's own answer and receipts"

STATE: Final = (SPACE, RECORDING)
FACTS: Final = (SPACE, MEMBER, RECORDING, CONSENT)
# A query that finds nothing is billed as one read.
LOOKED_FOR: Final = (
    "spaces: those that ended with a recording that nobody renders",
    "spaces/*/runtime: recordings that failed long ago and have no time",
    "spaces/*/runtime: recordings that outlived their time",
    "spaces/*/runtime: recordings whose clips nobody looks after any more",
    LIVE,
)
# At once, when no worker can write any more, and when no job can.
SWEEPS: Final = (OUTBOX, OUTBOX, OUTBOX)

RECORDING_COSTS: Final[Mapping[str, Cost]] = MappingProxyType(
    {
        "get_space_recording": Cost(STATE),
        "put_space_recording, request": Cost(
            STATE, (RECORDING, SPACE, OUTBOX), (OUTBOX,)
        ),
        "put_space_recording, pause": Cost(STATE, (RECORDING, SPACE)),
        "put_space_recording, stop": Cost(STATE, (RECORDING, SPACE, OUTBOX), (OUTBOX,)),
        "get_consent": Cost(FACTS),
        "put_consent, the first yes": Cost(FACTS, (CONSENT, RECORDING, SPACE)),
        "put_consent, another yes": Cost(FACTS, (CONSENT, RECORDING)),
        # The Space, which everybody reads, is not touched by a refusal.
        "put_consent, no": Cost(FACTS, (CONSENT, RECORDING)),
        "put_consent, again": Cost(FACTS),
        "put_consent, another scope": Cost(FACTS, (CONSENT, RECORDING)),
        "withdraw_consent": Cost(FACTS, (CONSENT, RECORDING, *SWEEPS), SWEEPS),
        "list_receipts, of one": Cost((CONSENT, SPACE)),
        "list_recordings": Cost(STATE),
        "get_recording": Cost(STATE),
        "get_playback, in it": Cost(STATE),
        "get_playback": Cost((*STATE, BLOCK)),
        # What is heard when, the manifest in the store says.
        "make_clip": Cost((*STATE, *STATE), (RECORDING, OUTBOX), (OUTBOX,)),
        "list_clips": Cost((*STATE, BLOCK)),
        "get_clip_playback, in it": Cost(STATE),
        "delete_clip": Cost(STATE, (RECORDING, *SWEEPS), SWEEPS),
        "edit_recording, private": Cost(STATE, (RECORDING,)),
        "delete_recording": Cost(
            STATE, (RECORDING, SPACE, OUTBOX, *SWEEPS), (OUTBOX, *SWEEPS)
        ),
        "get_proof_keys": Cost(),
        "task recording-ask": Cost(STATE),
        # Before anything is decided, and to decide it.
        "task recording-render, launch": Cost((*STATE, *STATE), (RECORDING,)),
        "task recording-render, wait": Cost((*STATE, *STATE)),
        "task recording-render, done": Cost(
            (*STATE, *STATE), (RECORDING, SPACE, OUTBOX, OUTBOX), (OUTBOX, OUTBOX)
        ),
        "task recording-erase-stems": Cost(STATE),
        "task recording-erase": Cost(STATE),
        "task recording-expire, not yet": Cost(STATE),
        "task recording-clip, launch": Cost((*STATE, *STATE), (RECORDING,)),
        "task recording-clip, done": Cost((*STATE, *STATE), (RECORDING,)),
        "task recording-erase-clips": Cost(STATE),
        "task recording-tell": Cost(STATE),
        # Once a minute, beside the outbox; what is found costs as its own task does.
        # Each recording that is erased is found once more, and each of which a clip was
        # made or deleted, until 15 min after the last change of it.
        "task sweep, nothing lost": Cost(LOOKED_FOR),
    }
)

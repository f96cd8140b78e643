"""One person's answers to being recorded, as the rules decide them."""

from dataclasses import replace

from spaces.domain import consent as rules
from spaces.domain.consent import ConsentDecision, ConsentFacts
from spaces.domain.notice import NOTICE_VERSION
from spaces_contract.recording import (
    ConsentScope,
    RecordingState,
)
from tests.recording_builders import (
    BOTH,
    NOTICE,
    a_moment,
    a_recording,
    after,
    facts,
)

PENDING = a_recording(RecordingState.PENDING)


def grant(
    before: ConsentFacts,
    number: int = 1,
    scopes: frozenset[ConsentScope] = BOTH,
    version: str = NOTICE_VERSION,
) -> ConsentDecision:
    """Say yes to the notice of today."""
    moment = a_moment(number)
    return rules.grant(before, scopes, NOTICE, shown_version=version, moment=moment)


def decline(before: ConsentFacts, number: int = 1) -> ConsentDecision:
    """Say no."""
    return rules.decline(before, NOTICE, moment=a_moment(number))


def withdraw(before: ConsentFacts, number: int = 2) -> ConsentDecision:
    """Take a yes back."""
    return rules.withdraw(before, NOTICE, moment=a_moment(number))


def granted(state: RecordingState = RecordingState.RECORDING) -> ConsentFacts:
    """Return the facts about ana after she said yes, the recording being in `state`."""
    before = facts(recording=PENDING)
    there = after(before, grant(before))
    assert there.recording is not None
    return replace(there, recording=replace(there.recording, state=state))

"""Consent to be recorded: one person's answer to one recording, and what it moves."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from spaces_contract.consent_receipts import ConsentAction, Receipt, SignedReceipt
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import (
    ConsentScope,
    RecordingState,
    StemId,
)
from spaces_contract.timestamps import rfc3339

from .effects import Effect, RecordingStep, RecordingTask
from .notice import Notice
from .participant import Participant
from .recording import (
    Recording,
    Voice,
    rendered_later,
    settled,
    there,
)
from .recording_errors import (
    AnsweredTooOften,
    ConsentNotFound,
    NotAsked,
    NoticeOutdated,
    RecordingClosed,
    RecordingNotFound,
)
from .recording_kept import erased, rendered_anew, sweeps, unclipped
from .recording_states import (
    CONSENT_TRANSITIONS,
    KEPT,
    OPEN,
    ConsentEvent,
    ConsentState,
    RecordingEvent,
    moved,
)
from .space import Space

MAX_GRANTS: Final = 20  # of one person in one recording
NO_STEM: Final = StemId("")  # of a refusal
SCOPES: Final = tuple(ConsentScope)  # in the order in which they are kept

# Signs a receipt and salts it; the same receipt comes out the same within one call.
Prove = Callable[[Receipt], SignedReceipt]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """
    One person's answer; read by nobody but them.

    Args:
        state: Never ASKED: who has not answered has no document.
        receipts: Of what still stands; a withdrawal erases those before it.
        grants: How often they said yes.
    """

    space_id: SpaceId
    user_id: UserId
    state: ConsentState
    answered_at: datetime
    scopes: tuple[ConsentScope, ...] = ()
    receipts: tuple[SignedReceipt, ...] = ()
    grants: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFacts:
    """All that an answer depends on, as read from the store."""

    space: Space
    member: Participant | None
    recording: Recording | None
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class ConsentDecision:
    """What a rule decided; what equals what was read is not written."""

    recording: Recording
    consent: Consent | None
    effects: tuple[Effect, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """
    What one request brings along, so that a retried transaction decides the same.

    Args:
        stem: Of a grant, if this becomes one; random.
        receipt_id: Random.
    """

    now: datetime
    stem: StemId
    receipt_id: str
    prove: Prove


def state_for(facts: ConsentFacts) -> ConsentState | None:
    """Return what they see of their own answer; None where they are not asked."""
    if facts.consent is not None:
        return facts.consent.state
    return ConsentState.ASKED if _is_asked(facts) else None


def grant(
    facts: ConsentFacts,
    scopes: frozenset[ConsentScope],
    notice: Notice,
    *,
    shown_version: str,
    moment: Moment,
) -> ConsentDecision:
    """
    Say yes, or change what it is good for; the same again changes nothing.

    Taking a scope back is as free as withdrawing: from off stage, and any number of
    times.

    Args:
        notice: The one of today, in the language that they read.
        shown_version: Of the notice that they were shown.

    Raises:
        RecordingNotFound, NotAsked, AnsweredTooOften.
        NoticeOutdated: they were shown another one.
        RecordingClosed: no voice is taken in any more.
    """
    recording = _there(facts)
    kept = tuple(scope for scope in SCOPES if scope in scopes)
    before = _standing(facts)
    if before is not None and before.scopes == kept:
        return ConsentDecision(recording, before)
    _may_grant(facts, recording, kept)
    if shown_version != notice.version:
        raise NoticeOutdated(notice.to_json())
    state = _answered(facts, ConsentEvent.GRANT)
    voice = recording.voice_of(_person(facts))
    stem = voice.stem if voice else moment.stem
    receipt = _receipt(
        facts, ConsentAction.GRANT, moment, stem=stem, scopes=kept, notice=notice
    )
    consent = _kept(facts, state, receipt, moment, scopes=kept)
    chained = replace(
        recording, commitments=(*recording.commitments, receipt.commitment)
    )
    heard = _heard(chained, facts, consent, stem, moment.now)
    if ConsentScope.CLIPS in kept:
        return ConsentDecision(heard, consent)
    # Taking clips back takes back those that there are.
    return _without_clips(heard, consent, stem, moment.now)


def decline(facts: ConsentFacts, notice: Notice, *, moment: Moment) -> ConsentDecision:
    """
    Say no, which takes back a yes; the same again changes nothing.

    Raises:
        RecordingNotFound, NotAsked.
    """
    consent = facts.consent
    if consent is not None and consent.state is ConsentState.GRANTED:
        return withdraw(facts, notice, moment=moment)
    recording = _there(facts)
    if consent is not None:
        return ConsentDecision(recording, consent)
    if not _is_asked(facts):
        raise NotAsked
    receipt = _receipt(facts, ConsentAction.DECLINE, moment, notice=notice)
    refused = _kept(facts, _answered(facts, ConsentEvent.DECLINE), receipt, moment)
    chained = (*recording.commitments, receipt.commitment)
    return ConsentDecision(
        replace(recording, commitments=chained, updated_at=moment.now), refused
    )


def withdraw(facts: ConsentFacts, notice: Notice, *, moment: Moment) -> ConsentDecision:
    """
    Take back a yes, at any time, wherever they are by now; again changes nothing.

    The receipts of before, and their salts, are erased; the chain keeps that there
    were such.  What was rendered with the voice gives way to a version without it.

    Raises:
        RecordingNotFound.
        ConsentNotFound: they never said yes.
    """
    if facts.recording is None:
        raise RecordingNotFound
    consent = facts.consent
    if consent is None or consent.state is ConsentState.DECLINED:
        raise ConsentNotFound
    recording = settled(facts.space, facts.recording)
    if consent.state is ConsentState.WITHDRAWN:
        return ConsentDecision(recording, consent)
    voice = recording.voice_of(consent.user_id)
    receipt = _receipt(
        facts,
        ConsentAction.WITHDRAW,
        moment,
        stem=voice.stem if voice else NO_STEM,
        notice=notice,
    )
    state = _answered(facts, ConsentEvent.WITHDRAW)
    after = replace(
        consent,
        state=state,
        scopes=(),
        receipts=(receipt,),
        answered_at=moment.now,
    )
    chained = replace(
        recording,
        commitments=(*recording.commitments, receipt.commitment),
        updated_at=moment.now,
    )
    if voice is None:  # erased with the whole recording before
        return ConsentDecision(chained, after)
    silent, effects = _silenced(chained, voice, moment.now)
    return ConsentDecision(silent, after, effects)


def _without_clips(
    recording: Recording, consent: Consent, stem: StemId, now: datetime
) -> ConsentDecision:
    after, effects = unclipped(recording, lambda clip: stem in clip.stems, now)
    return ConsentDecision(after, consent, effects)


def _silenced(
    recording: Recording, voice: Voice, now: datetime
) -> tuple[Recording, tuple[Effect, ...]]:
    """Take a voice out, and with it all that was made of it."""
    without = replace(
        recording,
        voices=tuple(each for each in recording.voices if each != voice),
        withdrawn=(*recording.withdrawn, voice.stem),
    )
    if without.state in OPEN:
        after = replace(without, version=without.version + 1)
        return after, sweeps(after, RecordingStep.ERASE_STEMS, now)
    if not without.voices:
        return _all_gone(without, now)
    after, unmade = unclipped(
        rendered_anew(without), lambda clip: voice.stem in clip.stems, now
    )
    tell = RecordingTask(after.space_id, RecordingStep.TELL, after.version, 0, now)
    return after, (
        *sweeps(after, RecordingStep.ERASE_STEMS, now),
        *unmade,
        tell,
        *rendered_later(after, now),
    )


def _all_gone(
    recording: Recording, now: datetime
) -> tuple[Recording, tuple[Effect, ...]]:
    raised = replace(recording, version=recording.version + 1)
    decision = erased(raised, now)
    return decision.recording or raised, decision.effects


def _there(facts: ConsentFacts) -> Recording:
    return settled(facts.space, there(facts.recording))


def _is_asked(facts: ConsentFacts) -> bool:
    if facts.recording is None or facts.member is None or not facts.member.on_stage:
        return False
    return settled(facts.space, facts.recording).state in OPEN


def _standing(facts: ConsentFacts) -> Consent | None:
    """Return their yes, if it stands."""
    consent = facts.consent
    granted = consent is not None and consent.state is ConsentState.GRANTED
    return consent if granted else None


def _may_grant(
    facts: ConsentFacts, recording: Recording, kept: tuple[ConsentScope, ...]
) -> None:
    before = _standing(facts)
    # A yes that stands may get other scopes for what there is.
    if recording.state not in (OPEN if before is None else OPEN | KEPT):
        raise RecordingClosed(recording.state.value)
    if before is not None and set(kept) < set(before.scopes):
        return
    if recording.state in OPEN and not _is_asked(facts):
        raise NotAsked
    if facts.consent is not None and facts.consent.grants >= MAX_GRANTS:
        raise AnsweredTooOften


def _answered(facts: ConsentFacts, event: ConsentEvent) -> ConsentState:
    before = facts.consent.state if facts.consent else ConsentState.ASKED
    return CONSENT_TRANSITIONS[before, event]


def _person(facts: ConsentFacts) -> UserId:
    if facts.consent is not None:
        return facts.consent.user_id
    if facts.member is None:
        raise NotAsked
    return facts.member.user_id


def _receipt(
    facts: ConsentFacts,
    action: ConsentAction,
    moment: Moment,
    *,
    notice: Notice,
    stem: StemId = NO_STEM,
    scopes: tuple[ConsentScope, ...] = (),
) -> SignedReceipt:
    return moment.prove(
        Receipt(
            receipt_id=moment.receipt_id,
            recording_id=facts.space.id,
            space_id=facts.space.id,
            uid=_person(facts),
            action=action,
            scopes=scopes,
            notice_version=notice.version,
            notice_lang=notice.lang,
            stem=stem,
            at=rfc3339(moment.now),
        )
    )


def _kept(
    facts: ConsentFacts,
    state: ConsentState,
    receipt: SignedReceipt,
    moment: Moment,
    *,
    scopes: tuple[ConsentScope, ...] = (),
) -> Consent:
    before = facts.consent
    granted = state is ConsentState.GRANTED
    return Consent(
        space_id=facts.space.id,
        user_id=_person(facts),
        state=state,
        scopes=scopes,
        answered_at=moment.now,
        receipts=(*(before.receipts if before else ()), receipt),
        grants=(before.grants if before else 0) + granted,
    )


def _heard(
    recording: Recording,
    facts: ConsentFacts,
    consent: Consent,
    stem: StemId,
    now: datetime,
) -> Recording:
    """Let a voice in, or give the one that is in other scopes."""
    before = recording.voice_of(consent.user_id)
    name = facts.member.display_name if facts.member else ""
    voice = Voice(
        user_id=consent.user_id,
        display_name=before.display_name if before else name,
        stem=stem,
        scopes=consent.scopes,
        commitment=len(recording.commitments) - 1,
    )
    others = tuple(each for each in recording.voices if each != before)
    begun = replace(recording, voices=(*others, voice), updated_at=now)
    if begun.state is not RecordingState.PENDING:
        return begun
    state = moved(begun.state, RecordingEvent.BEGIN)
    return replace(begun, state=state, began_at=now)

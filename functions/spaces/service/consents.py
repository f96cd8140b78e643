"""Being asked, answering, taking it back, and what proves it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from spaces_contract.consent_receipts import SALT_BYTES, SignedReceipt
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.recording import ConsentScope, StemId

from ..domain import consent as rules
from ..domain import recording_kept
from ..domain.consent import Consent, ConsentDecision, ConsentFacts, Moment
from ..domain.notice import FALLBACK_LANG, Notice, notice_in
from ..domain.recording_states import ConsentState
from .ports import Clock, Cursor, EffectQueue
from .recording_ports import Answered, Prover, RecordingStore

FORGET_PAGE: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class MyConsent:
    """
    What one person sees of their own answer.

    Args:
        state: None where they are not asked.
        receipt: Of the answer that stands, if there is one.
    """

    state: ConsentState | None
    consent: Consent | None
    notice: Notice

    @property
    def receipt(self) -> SignedReceipt | None:
        """The latest receipt."""
        return self.consent.receipts[-1] if self.consent else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentService:
    """
    Use cases of everybody whose voice might be recorded; each about the caller alone.

    Args:
        kept_days: How long recordings are kept, which the notice says.
        new_token: Returns a random id of at least 8 characters.
        random_bytes: Returns so many.
    """

    recordings: RecordingStore
    prover: Prover
    effects: EffectQueue
    now: Clock
    new_token: Callable[[], str]
    random_bytes: Callable[[int], bytes]
    kept_days: int

    def notice(self, lang: str) -> Notice:
        """Return the notice of today, in the nearest language there is."""
        return notice_in(lang, kept_days=self.kept_days)

    def get(self, space_id: SpaceId, *, actor_id: UserId, lang: str) -> MyConsent:
        """Return the caller's own answer; raises SpaceNotFound."""
        facts = self.recordings.facts(space_id, actor_id)
        return MyConsent(
            state=rules.state_for(facts),
            consent=facts.consent,
            notice=self.notice(lang),
        )

    def grant(
        self,
        space_id: SpaceId,
        scopes: frozenset[ConsentScope],
        *,
        shown_version: str,
        actor_id: UserId,
        lang: str,
    ) -> MyConsent:
        """Say yes; raises SpaceNotFound and all that `consent.grant` does."""
        notice, moment = self.notice(lang), self._moment()

        def decide(facts: ConsentFacts) -> ConsentDecision:
            return rules.grant(
                facts, scopes, notice, shown_version=shown_version, moment=moment
            )

        return self._answered(space_id, actor_id, notice, decide)

    def decline(self, space_id: SpaceId, *, actor_id: UserId, lang: str) -> MyConsent:
        """Say no; raises SpaceNotFound and all that `consent.decline` does."""
        notice, moment = self.notice(lang), self._moment()
        return self._answered(
            space_id,
            actor_id,
            notice,
            lambda facts: rules.decline(facts, notice, moment=moment),
        )

    def withdraw(self, space_id: SpaceId, *, actor_id: UserId, lang: str) -> MyConsent:
        """Take a yes back; raises SpaceNotFound and as `consent.withdraw`."""
        notice, moment = self.notice(lang), self._moment()
        return self._answered(
            space_id,
            actor_id,
            notice,
            lambda facts: rules.withdraw(facts, notice, moment=moment),
        )

    def answers(
        self, *, actor_id: UserId, limit: int, after: Cursor | None
    ) -> Sequence[Answered]:
        """Return the caller's answers with their receipts, the latest first."""
        return self.recordings.answers_of(actor_id, limit=limit, after=after)

    def forget(self, user_id: UserId) -> bool:
        """
        Take back every yes of a person who leaves for good, and delete their receipts.

        Returns:
            Whether there may be more of them; call again then.

        Raises:
            DependencyUnavailable, Contended: some may be left.
        """
        found = self.recordings.answers_of(user_id, limit=FORGET_PAGE, after=None)
        for answered in found:
            consent = answered.consent
            if consent.state is ConsentState.GRANTED:
                self.withdraw(consent.space_id, actor_id=user_id, lang=FALLBACK_LANG)
            self.recordings.forget_answer(consent.space_id, user_id)
        return len(found) >= FORGET_PAGE

    def unname(self, space_id: SpaceId, user_id: UserId) -> None:
        """
        Take a person who leaves for good off what they made of a Space's recording.

        Raises:
            SpaceNotFound, DependencyUnavailable, Contended.
        """
        now = self.now()
        self.recordings.update(
            space_id, lambda _, found: recording_kept.nameless(found, user_id, now=now)
        )

    def _answered(
        self,
        space_id: SpaceId,
        actor_id: UserId,
        notice: Notice,
        decide: Callable[[ConsentFacts], ConsentDecision],
    ) -> MyConsent:
        decision = self.recordings.answer(space_id, actor_id, decide)
        for effect in decision.effects:
            self.effects.release(effect)
        consent = decision.consent
        state = consent.state if consent else None
        return MyConsent(state=state, consent=consent, notice=notice)

    def _moment(self) -> Moment:
        salt = self.random_bytes(SALT_BYTES)
        return Moment(
            now=self.now(),
            stem=StemId(self.new_token()),
            receipt_id=self.new_token(),
            prove=lambda receipt: self.prover.sign(receipt, salt),
        )

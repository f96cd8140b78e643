"""Reactions on their way to a Space's worker: batches, and nothing in Firestore."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from spaces_contract import reactions as contract
from spaces_contract.grants import Forward, Grant
from spaces_contract.ids import SpaceId, UserId
from spaces_contract.reactions import MAX_BATCH, MAX_COUNT, Reaction

from .errors import GrantForOtherSpace
from .media import worker_of
from .ports import Clock, GrantSigner, SpaceStore, WorkerControl

BATCH_EVERY_S: Final = 0.5  # of one Space, from one instance

Counts = Counter[tuple[UserId, str]]


@dataclass(slots=True)
class _Pending:
    """What one Space's next batch has so far; `led`: somebody waits to send it."""

    counts: Counts = field(default_factory=Counter)
    led: bool = False
    sent_at_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionService:
    """
    Use cases of people who react.  A grant, also an expired one, shows that they were
    let in; whoever was removed since is left out by the worker.

    The first reaction of a Space is sent at once.  Of those that follow within
    `BATCH_EVERY_S` the first waits and takes all others along, which are answered
    before they are sent: a crowd costs a worker two calls a second and instance, and
    Firestore two reads for each of these.

    Args:
        monotonic: Seconds of a clock that never goes back.
        sleep: Waits so many seconds.
    """

    spaces: SpaceStore
    grants: GrantSigner
    workers: WorkerControl
    now: Clock
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _pending: dict[tuple[str, int], _Pending] = field(default_factory=dict)

    def admit(self, space_id: SpaceId, token: str) -> Grant:
        """
        Return the grant of somebody who may react in this Space.

        Raises:
            GrantInvalid, GrantForOtherSpace.
        """
        grant = self.grants.read_grant(token)
        if grant.space_id != space_id:
            raise GrantForOtherSpace
        return grant

    def react(self, grant: Grant, emoji: str) -> None:
        """
        Show `emoji` to everybody, at once or with the next batch.

        Raises:
            SpaceNotFound, NotLive, StaleGrant, WorkerStarting, WorkerUnreachable.
            WorkerRefused: the worker is about to leave.
        """
        wait_s = self._note(grant, emoji)
        if wait_s is None:
            return
        if wait_s > 0:
            self.sleep(wait_s)
        counts = self._take(grant)
        batch = [
            Reaction(uid=uid, emoji=which, count=min(count, MAX_COUNT))
            for (uid, which), count in counts.items()
        ]
        for start in range(0, len(batch), MAX_BATCH):
            self._send(grant, contract.to_body(batch[start : start + MAX_BATCH]))

    def _note(self, grant: Grant, emoji: str) -> float | None:
        """Note it; return how long to wait before sending; None: another will."""
        now_s = self.monotonic()
        with self._lock:
            self._forget_quiet(now_s)
            key = grant.space_id, grant.epoch
            pending = self._pending.setdefault(key, _Pending())
            pending.counts[UserId(grant.user_id), emoji] += 1
            if pending.led:
                return None
            pending.led = True
            return max(0.0, pending.sent_at_s + BATCH_EVERY_S - now_s)

    def _take(self, grant: Grant) -> Counts:
        with self._lock:
            pending = self._pending[grant.space_id, grant.epoch]
            taken, pending.counts = pending.counts, Counter()
            pending.led, pending.sent_at_s = False, self.monotonic()
        return taken

    def _forget_quiet(self, now_s: float) -> None:
        quiet = [
            key
            for key, each in self._pending.items()
            if not each.led and each.sent_at_s + BATCH_EVERY_S <= now_s
        ]
        for key in quiet:
            del self._pending[key]

    def _send(self, grant: Grant, body: bytes) -> None:
        control_url = worker_of(
            grant, *self.spaces.get_with_runtime(SpaceId(grant.space_id))
        )
        issued_at_s = int(self.now().timestamp())
        forward = Forward.of(grant, contract.REACT, body, issued_at_s=issued_at_s)
        self.workers.send_reactions(
            control_url, forward=self.grants.sign_forward(forward), body=body
        )

"""What the use cases need from the outside, as interfaces which they define."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from spaces_contract.grants import Forward, Grant, ListenToken
from spaces_contract.ids import SessionId, SpaceId, UserId

from ..domain.effects import Effect
from ..domain.participant import JoinFacts, MemberDecision, Participant
from ..domain.profile import Profile
from ..domain.runtime import Runtime
from ..domain.space import Decision, Space

Clock = Callable[[], datetime]  # aware, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """
    An Idempotency-Key as it is stored.

    Args:
        key: Names the person and their key; safe as a document id.
        fingerprint: Of the request body; the same key with another one is refused.
        expires_at: The key may be used anew from then on.
    """

    key: str
    fingerprint: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: time and id of its last entry."""

    at: datetime
    id: str


class SpaceStore(Protocol):
    """Spaces, each with its worker's document."""

    def create(self, space: Space, host: Participant, once: Once | None) -> Space:
        """
        Store a new Space and its host; return it as stored.

        Where `once.key` made a Space before, that Space is returned instead.

        Raises:
            IdempotencyKeyReused: it did so with another fingerprint.
        """
        ...

    def made_by(self, once: Once) -> Space | None:
        """
        Return the Space that `once.key` made before, if it did and still counts.

        Raises:
            IdempotencyKeyReused: it did so with another fingerprint.
        """
        ...

    def get(self, space_id: SpaceId) -> Space:
        """
        Return the Space.

        Raises:
            SpaceNotFound: there is none.
        """
        ...

    def get_with_runtime(self, space_id: SpaceId) -> tuple[Space, Runtime | None]:
        """Return the Space and its worker's document, as `get` does."""
        ...

    def runtime(self, space_id: SpaceId) -> Runtime | None:
        """Return the worker's document alone, if there is one."""
        ...

    def update(
        self, space_id: SpaceId, decide: Callable[[Space], Decision]
    ) -> Decision:
        """
        Run `decide` in one transaction and store what it decided; it may be re-run.

        Raises:
            SpaceNotFound: there is no such Space.
            Contended: others changed it all the while.
        """
        ...

    def supervise(
        self, space_id: SpaceId, decide: Callable[[Space, Runtime | None], Decision]
    ) -> Decision:
        """Do as `update` does, with the worker's document read in the transaction."""
        ...

    def live(self, *, limit: int, after: Cursor | None) -> Sequence[Space]:
        """Return live Spaces, those started last first."""
        ...


class MemberStore(Protocol):
    """People in Spaces."""

    def get(
        self, space_id: SpaceId, user_id: UserId
    ) -> tuple[Space, Participant | None]:
        """
        Return the Space and this person's document in it.

        Raises:
            SpaceNotFound: there is no such Space.
        """
        ...

    def join(
        self,
        space_id: SpaceId,
        user_id: UserId,
        decide: Callable[[JoinFacts], MemberDecision],
        *,
        wants_stage: bool,
    ) -> tuple[MemberDecision, JoinFacts]:
        """
        Store what `decide` makes of the facts, which it returns too; it may be re-run.

        Nothing is locked, and the Space is written only where it changed: a crowd
        of listeners neither writes nor delays it.

        Raises:
            SpaceNotFound: there is no such Space.
            Contended: others changed the Space all the while.
        """
        ...

    def update(
        self,
        space_id: SpaceId,
        user_id: UserId,
        decide: Callable[[Space, Participant | None], MemberDecision],
    ) -> MemberDecision:
        """
        Run `decide` in one transaction and store what it changed; it may be re-run.

        Raises:
            SpaceNotFound: there is no such Space.
            Contended: others changed it all the while.
        """
        ...

    def present(
        self, space_id: SpaceId, *, limit: int, after: Cursor | None
    ) -> Sequence[Participant]:
        """Return those who have not left, in the order in which they came."""
        ...


class ProfileStore(Protocol):
    """People's accounts."""

    def get(self, user_id: UserId) -> Profile | None:
        """Return the profile, if there is one."""
        ...

    def update(
        self, user_id: UserId, decide: Callable[[Profile | None], Profile]
    ) -> Profile:
        """
        Store what `decide` returns, in one transaction; it may be re-run.

        Raises:
            HandleTaken: somebody else has the handle that was decided.
            ErasureRunning: an earlier account of theirs is not all erased yet.
            Contended: others changed it all the while.
        """
        ...


class EffectQueue(Protocol):
    """Carries out effects later, each at least once and under its own name."""

    def put(self, effect: Effect) -> None:
        """
        Enqueue `effect`; the same name twice is enqueued once.

        Raises:
            DependencyUnavailable: the queue does not answer.
        """
        ...

    def release(self, effect: Effect) -> None:
        """
        Enqueue an effect that a transaction has stored, and forget the stored one.

        Never fails: what cannot be enqueued now stays stored for `leftovers`.
        """
        ...

    def leftovers(self, *, before: datetime, limit: int) -> Sequence[Effect]:
        """Return effects stored before that time and not released yet."""
        ...


class GrantSigner(Protocol):
    """Signs and reads the tokens of `spaces_contract.grants`."""

    def sign_grant(self, grant: Grant) -> str:
        """Return the token."""
        ...

    def read_grant(self, token: str) -> Grant:
        """
        Return the grant that was signed; it may have expired.

        Raises:
            GrantInvalid: it was not signed by us, or is no grant.
        """
        ...

    def pseudonym(self, space_id: SpaceId, user_id: UserId) -> UserId:
        """
        Return what `user_id` is called where they listen anonymously.

        Always the same in one Space, so that a person has one session there however
        often they join; without the key nobody can tell who it is.
        """
        ...

    def sign_forward(self, forward: Forward) -> str:
        """Return the token."""
        ...

    def sign_listen_token(self, token: ListenToken) -> str:
        """Return the token, signed."""
        ...

    def read_listen_token(self, token: str) -> ListenToken:
        """
        Return what was signed; it may have expired.

        Raises:
            ListenTokenInvalid: it was not signed by us, or is no listen token.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A media session that a worker opened."""

    session_id: SessionId
    answer_sdp: str


class WorkerControl(Protocol):
    """The private API of the workers."""

    def open_session(
        self, control_url: str, *, forward: str, offer_sdp: bytes
    ) -> OpenedSession:
        """
        Open a media session.

        Raises:
            WorkerRefused: with the worker's reason.
            WorkerUnreachable: it does not answer in time.
        """
        ...

    def close_session(
        self, control_url: str, *, forward: str, session_id: SessionId
    ) -> None:
        """Close a media session; raises as `open_session` does."""
        ...

    def send_reactions(self, control_url: str, *, forward: str, body: bytes) -> None:
        """Hand over a batch of reactions; raises as `open_session` does."""
        ...

    def announce_listener(self, control_url: str, *, forward: str) -> None:
        """Say that somebody listens by HLS; raises as `open_session` does."""
        ...

    def fetch_key(self, control_url: str, *, forward: str, number: int) -> bytes:
        """Return an HLS key; raises as `open_session` does."""
        ...


class WorkloadKind(StrEnum):
    """What a launcher starts."""

    ROOM = "room"
    RELAY = "relay"
    RENDER = "render"  # key: a recording; epoch: its version; index: the attempt
    CLIP = "clip"  # key: a recording; epoch: the clip's number; index: the attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One process to run; launching the same one twice starts it once."""

    kind: WorkloadKind
    key: str
    epoch: int
    index: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchedWorkload:
    """One that a launcher knows."""

    ref: str
    workload: Workload
    launched_at: datetime
    runs: bool = True  # or is about to; else it has ended, and takes its place still


class Launcher(Protocol):
    """Starts and stops workloads; knows nothing of Spaces."""

    def launch(self, workload: Workload) -> str:
        """
        Start it unless it runs; return its reference.

        Raises:
            NoCapacity: there is no room for it now.
            DependencyUnavailable: whoever starts it does not answer.
            LaunchRefused: it never will, as asked.
        """
        ...

    def terminate(self, ref: str) -> None:
        """
        Stop it; one that is gone already is no error.

        Raises:
            DependencyUnavailable: whoever stops it does not answer.
        """
        ...

    def workloads(self) -> Sequence[LaunchedWorkload]:
        """
        List what was launched and still takes a place, whether or not it runs.

        Raises:
            DependencyUnavailable: whoever knows does not answer.
        """
        ...


class LaunchRefused(Exception):
    """The launcher refused a workload for good."""


@dataclass(frozen=True, slots=True)
class Launched:
    """The workload that was last launched for a Space."""

    epoch: int
    ref: str


class LaunchStore(Protocol):
    """Which workload runs a Space, so that it can be stopped."""

    def get(self, space_id: SpaceId) -> Launched | None:
        """Return the latest one, if any."""
        ...

    def put(self, space_id: SpaceId, launched: Launched) -> Launched | None:
        """
        Remember it as the latest; return which of the two is to be stopped, if any.

        That is the one before, or `launched` itself where it came too late.
        """
        ...

    def clear(self, space_id: SpaceId) -> None:
        """Forget it."""
        ...


class AppCheck(Protocol):
    """Which program is calling."""

    def proves(self, token: str) -> bool:
        """
        Return whether the token was given to an app of this deployment.

        Raises:
            DependencyUnavailable: the keys to verify it by cannot be read.
        """
        ...

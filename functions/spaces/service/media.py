"""Opening and closing media sessions: check the grant, forward to the worker."""

from dataclasses import dataclass
from typing import Final

from spaces_contract.control import ControlError
from spaces_contract.grants import Forward, Grant
from spaces_contract.ids import SessionId, SpaceId
from spaces_contract.media import MAX_SDP_BYTES
from spaces_contract.relays import relay_of
from spaces_contract.roles import PeerKind
from spaces_contract.runtime import WorkerState

from ..domain.errors import NotLive
from ..domain.relays import RelayLimits, choose
from ..domain.runtime import Runtime
from ..domain.space import Space
from ..domain.states import SpaceState
from .errors import (
    GrantExpired,
    GrantForbids,
    GrantForOtherSpace,
    StaleGrant,
    WorkerRefused,
    WorkerStarting,
    WorkerUnreachable,
)
from .ports import Clock, GrantSigner, OpenedSession, SpaceStore, WorkerControl

RELAYS_TROUBLE: Final = frozenset(
    {
        ControlError.INVALID_FORWARD,
        ControlError.STALE_EPOCH,
        ControlError.WORKER_FULL,
        ControlError.WORKER_STOPPING,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class IceServer:
    """A STUN or TURN server, as WebRTC's RTCIceServer names it."""

    urls: tuple[str, ...]
    username: str | None = None
    credential: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaService:
    """
    Use cases of WHIP and WHEP clients; a grant is all that they show.

    A relay that is full, leaving or out of reach costs nobody a refusal: the origin is
    asked then.
    """

    spaces: SpaceStore
    grants: GrantSigner
    workers: WorkerControl
    now: Clock
    relays: RelayLimits

    def admit(self, space_id: SpaceId, kind: PeerKind, *, token: str) -> Grant:
        """
        Return the grant of somebody who may open a session of `kind` in this Space.

        Raises:
            CredentialError: the grant is not ours, or has expired.
            GrantForOtherSpace, GrantForbids.
        """
        grant = self._grant(space_id, token)
        if grant.expires_at_s <= self.now().timestamp():
            raise GrantExpired
        if kind not in grant.kinds:
            raise GrantForbids
        return grant

    def open(self, grant: Grant, kind: PeerKind, offer_sdp: bytes) -> OpenedSession:
        """
        Open a session of `kind` with the worker of the Space that admitted the grant.

        Raises:
            StaleGrant, SpaceNotFound, NotLive.
            WorkerStarting, WorkerUnreachable: try again.
            WorkerRefused: the offer, or the worker, does not allow it.
        """
        _must_be_an_offer(offer_sdp)
        space, runtime = self.spaces.get_with_runtime(SpaceId(grant.space_id))
        control_url = worker_of(grant, space, runtime)
        forward = self._forward(grant, "POST", offer_sdp, kind=kind)
        at_relay = self._opened_at_a_relay(grant, kind, runtime, forward, offer_sdp)
        return at_relay or self.workers.open_session(
            control_url, forward=forward, offer_sdp=offer_sdp
        )

    def close(self, space_id: SpaceId, session_id: SessionId, *, token: str) -> None:
        """
        Close a session that the same grant opened; the grant may have expired.

        A session whose Space is over, or whose worker is gone, is closed already.

        Raises:
            GrantInvalid, GrantForOtherSpace, SpaceNotFound.
            WorkerUnreachable: try again.
            WorkerRefused: there is no such session of this grant.
        """
        grant = self._grant(space_id, token)
        space, runtime = self.spaces.get_with_runtime(space_id)
        try:
            control_url = worker_of(grant, space, runtime)
        except (NotLive, StaleGrant, WorkerStarting):
            return
        relay = relay_of(session_id)
        if relay is not None and runtime is not None:
            holder = runtime.relays.get(relay)
            if holder is None:
                return
            control_url = holder.control_url
        forward = self._forward(grant, "DELETE", b"", session_id=session_id)
        self.workers.close_session(control_url, forward=forward, session_id=session_id)

    def _opened_at_a_relay(
        self,
        grant: Grant,
        kind: PeerKind,
        runtime: Runtime | None,
        forward: str,
        offer_sdp: bytes,
    ) -> OpenedSession | None:
        """Open a session with the relay that is its place; None: at the origin."""
        # Those on stage need a mix without their own voice: the origin alone has one.
        if runtime is None or kind is PeerKind.WHIP or grant.role.on_stage:
            return None
        place = choose(runtime, grant.user_id, self.relays)
        if place is None or place.relay is None:
            return None
        try:
            return self.workers.open_session(
                place.control_url, forward=forward, offer_sdp=offer_sdp
            )
        except (WorkerUnreachable, WorkerRefused) as error:
            _must_be_the_relays_trouble(error)
            return None

    def _grant(self, space_id: SpaceId, token: str) -> Grant:
        grant = self.grants.read_grant(token)
        if grant.space_id != space_id:
            raise GrantForOtherSpace
        return grant

    def _forward(
        self,
        grant: Grant,
        method: str,
        body: bytes,
        *,
        kind: PeerKind | None = None,
        session_id: SessionId | None = None,
    ) -> str:
        forward = Forward.of(
            grant,
            method,
            body,
            issued_at_s=int(self.now().timestamp()),
            kind=kind,
            session_id=session_id,
        )
        return self.grants.sign_forward(forward)


def _must_be_the_relays_trouble(error: WorkerUnreachable | WorkerRefused) -> None:
    """Raise what the origin would say as well."""
    if isinstance(error, WorkerRefused) and error.reason not in RELAYS_TROUBLE:
        raise error


def _must_be_an_offer(sdp: bytes) -> None:
    """Refuse what no worker needs to see; it looks at the rest itself."""
    if not sdp.strip():
        raise WorkerRefused(ControlError.SDP_EMPTY, "The body is empty: send an offer.")
    if len(sdp) > MAX_SDP_BYTES:
        detail = f"An offer has at most {MAX_SDP_BYTES} bytes."
        raise WorkerRefused(ControlError.SDP_TOO_LARGE, detail)


def worker_of(grant: Grant, space: Space, runtime: Runtime | None) -> str:
    """
    Return the control URL of the worker that serves the grant's epoch.

    Raises:
        NotLive, StaleGrant, WorkerStarting.
        WorkerRefused: it is about to leave.
    """
    if space.state is not SpaceState.LIVE:
        raise NotLive(space.state)
    if space.epoch != grant.epoch:
        raise StaleGrant
    if runtime is None or runtime.epoch != grant.epoch or not runtime.control_url:
        raise WorkerStarting
    if runtime.state is WorkerState.DRAINING:
        detail = "The worker is about to leave; try again."
        raise WorkerRefused(ControlError.WORKER_STOPPING, detail)
    if runtime.state is not WorkerState.READY:
        raise WorkerStarting
    return runtime.control_url

"""A worker's control API in this process, and forwards that functions sign for it."""

import time
from collections.abc import Iterable
from typing import Any

import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.routing import Route

from media_worker.control.app import ControlApi
from media_worker.control.forward_check import ForwardCheck
from media_worker.room.ports import SdpRefused, SessionRefused
from spaces_contract.control import ControlError
from spaces_contract.grants import Forward, body_digest
from spaces_contract.ids import SessionId, UserId
from spaces_contract.reactions import Reaction
from spaces_contract.roles import PeerKind, Role

SPACE = "1nKxoPQrsTUvw"
SESSION = "sessionsessionsession"
KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CHECK = ForwardCheck(PUBLIC.decode(), space_id=SPACE, epoch=3)


class RememberingSessions:
    """Opens whatever is asked for; refuses the offer "video"."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str, PeerKind, str]] = []
        self.closed: list[tuple[str, str, str]] = []
        self.reactions: list[Reaction] = []

    async def open(
        self, offer_sdp: str, *, user_id: UserId, kind: PeerKind, grant_id: str
    ) -> tuple[SessionId, str]:
        if offer_sdp == "video":
            raise SdpRefused(ControlError.SDP_NO_AUDIO, "video only")
        self.opened.append((offer_sdp, user_id, kind, grant_id))
        return SessionId(SESSION), "v=0 answer"

    async def leave(
        self, session_id: SessionId, *, user_id: UserId, grant_id: str
    ) -> None:
        if session_id != SESSION:
            raise SessionRefused(ControlError.SESSION_NOT_FOUND, "no such session")
        self.closed.append((session_id, user_id, grant_id))

    def react(self, reactions: Iterable[Reaction]) -> None:
        self.reactions += reactions


def a_forward(body: bytes, **changes: Any) -> dict[str, Any]:
    """Return the claims of a good WHIP forward, with some changed."""
    now = int(time.time())
    forward = Forward(
        method="POST",
        space_id=SPACE,
        epoch=3,
        user_id="ana",
        role=Role.HOST,
        anonymous=False,
        grant_id="grant-1",
        body_sha256=body_digest(body),
        issued_at_s=now,
        expires_at_s=now + 30,
        kind=PeerKind.WHIP,
    )
    claims = forward.to_claims() | changes
    return {name: value for name, value in claims.items() if value is not None}


def bearer(
    claims: dict[str, Any], key: Any = KEY, algorithm: str = "EdDSA"
) -> dict[str, str]:
    """Return the header that carries `claims`."""
    return {"Authorization": f"Bearer {jwt.encode(claims, key, algorithm=algorithm)}"}


def client_of(
    sessions: RememberingSessions, others: Iterable[Route] = ()
) -> httpx.AsyncClient:
    """Return a client of the API for epoch 3 of the Space, these routes included."""
    api = ControlApi(
        sessions,
        CHECK,
        react=sessions.react,
        ready=lambda: True,
        metrics=_a_metric,
        others=list(others),
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(api.app()), base_url="http://worker"
    )


async def _a_metric() -> str:
    """Return what is scraped."""
    return "parley_worker_up 1\n"

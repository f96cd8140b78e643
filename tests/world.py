"""The functions' two applications over doubles, and people who call them."""

import itertools
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from werkzeug.test import TestResponse

from spaces.adapters.signed_tokens import Ed25519Signer
from spaces.http import media, membership, profiles, spaces
from spaces.http.app import api_app, tasks_app
from spaces.http.operations import Operation
from spaces.service.media import IceServer, MediaService
from spaces.service.membership import MembershipService
from spaces.service.profiles import ProfileService
from spaces.service.spaces import SpaceService
from spaces.service.upkeep import UpkeepService
from spaces_contract.grants import Grant
from spaces_contract.ids import SpaceId
from tests.fakes import (
    EffectLog,
    FakeClock,
    FakeIdTokens,
    FakeLauncher,
    FakeTaskTokens,
    FakeWorkerControl,
    MemoryDatabase,
    MemoryLaunchStore,
    MemoryMemberStore,
    MemoryProfileStore,
    MemorySpaceStore,
)

PUBLIC_URL = "https://parley.example"
ORIGINS = frozenset({"https://app.example"})
ICE_SERVERS = (
    IceServer(urls=("stun:stun.example.net",)),
    IceServer(urls=("turn:turn.example.net",), username="ana", credential="secret"),
)


def a_private_key() -> str:
    """Return a new Ed25519 key, PEM."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        .decode()
    )


class World:
    """Everything of one deployment, in memory."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.database = MemoryDatabase()
        self.effects = EffectLog(self.database)
        self.launches = MemoryLaunchStore()
        self.launcher = FakeLauncher()
        self.workers = FakeWorkerControl()
        self.id_tokens = FakeIdTokens()
        self.signer = Ed25519Signer(a_private_key())
        self._numbers = itertools.count(1)
        space_store = MemorySpaceStore(self.database, self.clock)
        profile_store = MemoryProfileStore(self.database)
        self.profiles = ProfileService(profiles=profile_store, now=self.clock)
        self.spaces = SpaceService(
            spaces=space_store,
            profiles=profile_store,
            effects=self.effects,
            now=self.clock,
            new_space_id=lambda: SpaceId(
                f"{next(self._numbers):13d}".replace(" ", "x")
            ),
        )
        self.membership = MembershipService(
            members=MemoryMemberStore(self.database),
            grants=self.signer,
            now=self.clock,
            new_token=lambda: f"token{next(self._numbers)}",
        )
        self.media = MediaService(
            spaces=space_store,
            grants=self.signer,
            workers=self.workers,
            now=self.clock,
        )
        self.upkeep = UpkeepService(
            spaces=space_store,
            launches=self.launches,
            launcher=self.launcher,
            effects=self.effects,
            now=self.clock,
        )
        self.operations: tuple[Operation, ...] = (
            *profiles.operations(self.profiles),
            *spaces.operations(self.spaces, PUBLIC_URL),
            *membership.operations(self.membership, PUBLIC_URL, ICE_SERVERS),
            *media.operations(self.media, PUBLIC_URL, ICE_SERVERS),
        )
        self.api = api_app(
            self.operations,
            id_tokens=self.id_tokens,
            cors_origins=ORIGINS,
            public_url=PUBLIC_URL,
        )
        self.tasks = tasks_app(self.upkeep, FakeTaskTokens())

    def call(
        self, method: str, path: str, *, as_user: str | None = None, **kwargs: Any
    ) -> TestResponse:
        """Call the API, signed in as `as_user` where that is given."""
        headers = dict(kwargs.pop("headers", {}))
        if as_user is not None:
            headers["Authorization"] = f"Bearer uid:{as_user}"
        return self.api.test_client().open(
            path, method=method, headers=headers, **kwargs
        )

    def task(self, name: str, body: Any) -> TestResponse:
        """Call as the task queue does."""
        headers = {"Authorization": "Bearer queue"}
        return self.tasks.test_client().post(
            f"/tasks/{name}", json=body, headers=headers
        )

    def post_sdp(
        self, path: str, grant: Grant | str, sdp: bytes, **headers: str
    ) -> TestResponse:
        """POST an offer with a grant, or with any token."""
        token = grant if isinstance(grant, str) else self.signer.sign_grant(grant)
        return self.call(
            "POST",
            path,
            data=sdp,
            content_type="application/sdp",
            headers={"Authorization": f"Bearer {token}", **headers},
        )


def code_of(response: TestResponse) -> str:
    """Return the code of a problem, having checked that it is one."""
    body = response.get_json()
    assert response.content_type == "application/problem+json"
    assert body["status"] == response.status_code
    assert body.keys() >= {"type", "title", "status", "detail"}
    return str(body["type"]).removeprefix("https://parley.dev/problems/")

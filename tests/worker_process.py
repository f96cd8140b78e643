"""A real worker process on the embedded Firestore, without functions between."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import IO, Any, Self
from unittest import mock

import aiohttp
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.cloud import firestore

from spaces_contract import paths
from spaces_contract.control import SESSION_ID_HEADER
from spaces_contract.grants import Forward, body_digest
from spaces_contract.hls import FETCH_KEY, LISTEN
from spaces_contract.ids import SESSION_ID_PATTERN
from spaces_contract.roles import PeerKind, Role
from tests.api import ApiError
from tests.bound_process import bound

ROOT = Path(__file__).parents[1]
SPACE = "1nKxoPQrsTUvw"
PROJECT = "demo-parley"
PATIENCE_S = 60.0  # far beyond what anything takes, on two busy cores


class EmbeddedFirestore:
    """The embedded server as a process that can be killed and started again."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self.port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.kill()

    async def start(self) -> None:
        """Start on the same port and data as before."""
        command = (
            *(sys.executable, "-m", "infra.local", "firestore"),
            *("--port", str(self.port), "--data", str(self._data)),
        )
        self._process = await asyncio.create_subprocess_exec(
            *bound(*command), cwd=ROOT, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            ready = (await self._process.stdout.readline()).decode().split()
        self.port = int(ready[1].rpartition(":")[2])

    async def kill(self) -> None:
        """End it as power loss would."""
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    @property
    def host(self) -> str:
        """Value of FIRESTORE_EMULATOR_HOST."""
        return f"127.0.0.1:{self.port}"


class SpaceDocuments:
    """Writes a Space's documents as the functions would."""

    def __init__(self, host: str) -> None:
        with mock.patch.dict(os.environ, FIRESTORE_EMULATOR_HOST=host):
            self.client: Any = firestore.AsyncClient(project=PROJECT)

    async def start(self, epoch: int = 1) -> None:
        """Make the Space live in `epoch`, with a runtime that waits for a worker."""
        await self.space.set(
            {"state": "live", "epoch": epoch, "title": "Talk", "participant_count": 0}
        )
        await self.runtime.set({"epoch": epoch, "state": "launching"})

    async def put_on_stage(self, uid: str, **changes: Any) -> None:
        """Write somebody's participant document."""
        member = {
            "uid": uid,
            "role": "speaker",
            "on_stage": True,
            "muted": False,
            "removed": False,
            "handle": uid,
            "display_name": uid.title(),
        }
        await self.participant(uid).set(member | changes)

    @classmethod
    @contextlib.asynccontextmanager
    async def live(cls, host: str, *on_stage: str) -> AsyncIterator[Self]:
        """Make the Space live; the first on stage is its host, the others speak."""
        documents = cls(host)
        try:
            await documents.start()
            for number, uid in enumerate(on_stage):
                role = "speaker" if number else "host"
                await documents.put_on_stage(uid, role=role)
            yield documents
        finally:
            documents.client.close()

    @property
    def space(self) -> Any:
        """Reference of the Space."""
        return self.client.document(paths.space(SPACE))

    @property
    def runtime(self) -> Any:
        """Reference of the runtime document."""
        return self.client.document(paths.runtime_worker(SPACE))

    def participant(self, uid: str) -> Any:
        """Reference of a participant."""
        return self.client.document(paths.participant(SPACE, uid))

    async def runtime_fields(self) -> dict[str, Any]:
        """Return the runtime document."""
        fields: dict[str, Any] = (await self.runtime.get()).to_dict() or {}
        return fields


class WorkerProcess:
    """
    `python -m media_worker`, and a client of its control API that signs for itself.

    It is an `Api` to `tests.light_clients`: a session's URL is the control API's, a
    grant is the uid.

    Args:
        told: Takes its log; None is ours.
    """

    def __init__(
        self,
        host: str,
        objects: Path,
        *,
        epoch: int = 1,
        media_host: str = "127.0.0.1",
        egresses: int = 0,
        settings: Mapping[str, str] | None = None,
        told: IO[bytes] | None = None,
    ) -> None:
        self._told = told
        self._key = Ed25519PrivateKey.generate()
        self.epoch = epoch
        self.objects = objects
        public = self._key.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        endpoint = {"bind": f"{media_host}:0", "announced": f"{media_host}:0"}
        self._env = os.environ | {
            "FIRESTORE_EMULATOR_HOST": host,
            "PARLEY_PROJECT_ID": PROJECT,
            "PARLEY_SPACE_ID": SPACE,
            "PARLEY_EPOCH": str(epoch),
            "PARLEY_GRANT_PUBLIC_KEY": public.decode(),
            "PARLEY_CONTROL_BIND": "127.0.0.1:0",
            "PARLEY_UDP_ENDPOINTS": json.dumps([endpoint] * (1 + egresses)),
            "PARLEY_LIVE_EDGE_URL": f"file://{objects}",
            "PYTHONASYNCIODEBUG": "",
            **(settings or {}),
        }
        self.control_url = ""

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            *bound(sys.executable, "-m", "media_worker"),
            cwd=ROOT,
            env=self._env,
            stderr=self._told,
        )
        # Shorter than the server's patience: nothing is sent on a connection that it
        # is just closing.
        connector = aiohttp.TCPConnector(keepalive_timeout=1.0)
        self._http = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()

    async def ready(self, documents: SpaceDocuments) -> None:
        """Wait for the claim."""

        async def claimed() -> bool:
            assert self.process.returncode is None, "it has ended instead"
            fields = await documents.runtime_fields()
            self.control_url = fields.get("control_url", "")
            return fields.get("state") == "ready" and fields["epoch"] == self.epoch

        await until(claimed)

    def terminate(self) -> None:
        """Send SIGTERM: a room with people in it waits to be relieved."""
        self._signal(signal.SIGTERM)

    def interrupt(self) -> None:
        """Send SIGINT: it leaves at once; harmless once it has."""
        self._signal(signal.SIGINT)

    def _signal(self, number: signal.Signals) -> None:
        # `process.send_signal` would take the exit code from under asyncio's watcher.
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process.pid, number)

    async def exit_code(self) -> int:
        """Wait for the end."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def metrics(self) -> dict[str, float]:
        """Return what `/metrics` says, by name and labels."""
        async with self._http.get(f"{self.control_url}/metrics") as response:
            lines = (await response.text()).splitlines()
        values = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name.removeprefix("parley_worker_"): float(v) for name, v in values}

    def room_json(self) -> dict[str, Any]:
        """Return `room.json`, or {} before it was written."""
        path = self.objects / paths.room_object(SPACE, self.epoch)
        room: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return room

    async def post_sdp(self, url: str, grant: str, offer: str) -> tuple[str, str]:
        """Open a session of the kind that `url` ends in, for the user `grant`."""
        kind = PeerKind(url.rpartition("/")[2])
        headers = self._signed("POST", grant, offer.encode(), kind=kind)
        async with self._http.post(
            f"{self.control_url}/sessions", data=offer.encode(), headers=headers
        ) as response:
            if response.status != 201:
                problem = await response.json()
                raise ApiError(response.status, {"type": problem["code"]})
            session_id = response.headers[SESSION_ID_HEADER]
            assert SESSION_ID_PATTERN.fullmatch(session_id)
            return await response.text(), session_id

    async def delete_session(self, url: str, grant: str) -> None:
        """Close a session."""
        headers = self._signed("DELETE", grant, b"", session_id=url)
        async with self._http.delete(
            f"{self.control_url}/sessions/{url}", headers=headers
        ) as response:
            if response.status != 204:
                raise ApiError(response.status, await response.json())

    async def listen_by_hls(self, uid: str) -> None:
        """Announce a listener; return once there is something to play."""
        headers = self._signed(LISTEN, uid, b"")
        url = f"{self.control_url}/hls/listeners"
        async with self._http.post(url, headers=headers) as response:
            if response.status != 204:
                problem = await response.json()
                raise ApiError(response.status, {"type": problem["code"]})

    async def hls_key(self, uid: str, number: int) -> bytes:
        """Fetch a key for a listener."""
        headers = self._signed(FETCH_KEY, uid, b"", session_id=str(number))
        url = f"{self.control_url}/hls/keys/{number}"
        async with self._http.get(url, headers=headers) as response:
            if response.status != 200:
                problem = await response.json()
                raise ApiError(response.status, {"type": problem["code"]})
            return await response.read()

    def _signed(self, method: str, uid: str, body: bytes, **claims: Any) -> Any:
        now = int(time.time())
        forward = Forward(
            method=method,
            space_id=SPACE,
            epoch=self.epoch,
            user_id=uid,
            role=Role.SPEAKER,
            anonymous=False,
            grant_id=f"grant-{uid}",
            body_sha256=body_digest(body),
            issued_at_s=now,
            expires_at_s=now + 30,
            **claims,
        )
        token = jwt.encode(forward.to_claims(), self._key, algorithm="EdDSA")
        return {"Authorization": f"Bearer {token}"}


async def until(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> None:
    """Wait until `condition`, sync or async, holds."""
    async with asyncio.timeout(patience_s):
        while True:
            holds = condition()
            if asyncio.iscoroutine(holds):
                holds = await holds
            if holds:
                return
            await asyncio.sleep(0.02)

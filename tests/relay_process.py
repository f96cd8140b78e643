"""A relay as a process, beside the origin that it hears."""

import time
from collections.abc import Mapping
from pathlib import Path

import jwt

from spaces_contract import paths
from spaces_contract.grants import Forward, body_digest
from spaces_contract.relays import FEED, relay_user
from spaces_contract.roles import Role
from tests.worker_process import SPACE, SpaceDocuments, WorkerProcess, until


class RelayProcess(WorkerProcess):
    """`python -m media_worker` as a relay; its clients sign as those of its origin."""

    def __init__(
        self,
        origin: WorkerProcess,
        host: str,
        objects: Path,
        *,
        index: int = 0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        settings = {
            "PARLEY_WORKLOAD": "relay",
            "PARLEY_RELAY_INDEX": str(index),
            **(settings or {}),
        }
        super().__init__(host, objects, epoch=origin.epoch, settings=settings)
        self.index = index
        # One deployment, one key: functions sign for all workers.
        self._key = origin._key
        name = "PARLEY_GRANT_PUBLIC_KEY"
        self._env[name] = origin._env[name]

    async def place(self, documents: SpaceDocuments) -> None:
        """Write the relay's document, as functions do when they ask for it."""
        now = int(time.time())
        forward = Forward(
            method=FEED,
            space_id=SPACE,
            epoch=self.epoch,
            user_id=relay_user(self.index),
            role=Role.LISTENER,
            anonymous=True,
            grant_id=FEED,
            body_sha256=body_digest(b""),
            issued_at_s=now,
            expires_at_s=now + 600,
            session_id=str(self.index),
        )
        await documents.client.document(self.path).set(
            {
                "epoch": self.epoch,
                "state": "launching",
                "feed_forward": jwt.encode(
                    forward.to_claims(), self._key, algorithm="EdDSA"
                ),
            }
        )

    @property
    def path(self) -> str:
        """Of its runtime document."""
        return paths.runtime_relay(SPACE, self.index)

    async def ready(self, documents: SpaceDocuments) -> None:
        """Wait for its claim, and for sound."""

        async def fed() -> bool:
            found = await documents.client.document(self.path).get()
            self.control_url = (found.to_dict() or {}).get("control_url", "")
            if not self.control_url:
                return False
            return (await self.metrics()).get("relay_feed_up") == 1

        await until(fed)

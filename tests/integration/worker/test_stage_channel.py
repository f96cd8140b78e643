"""People on stage are told at once, over aiortc's own data channel."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from spaces_contract.roles import PeerKind
from tests.media_endpoint import address_of_this_machine
from tests.worker_process import (
    PATIENCE_S,
    EmbeddedFirestore,
    SpaceDocuments,
    WorkerProcess,
    until,
)


class StageClient:
    """A speaker's peer connection that keeps what its stage channel says."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.peer = RTCPeerConnection()
        self.peer.addTrack(AudioStreamTrack())
        channel = self.peer.createDataChannel("stage")
        channel.on("message", lambda text: self.messages.append(json.loads(text)))

    async def connect(self, worker: WorkerProcess, uid: str) -> None:
        """Open the session at the worker."""
        await self.peer.setLocalDescription(await self.peer.createOffer())
        offer = self.peer.localDescription.sdp
        answer, _ = await worker.post_sdp(f"/{PeerKind.WHIP}", uid, offer)
        await self.peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    def said(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of a type."""
        return [message for message in self.messages if message["type"] == kind]


async def test_the_stage_is_told_of_room_mute_and_end(tmp_path: Path) -> None:
    """
    Room and role when the channel opens, a mute when it happens, the reason at the end.
    """
    media_host = address_of_this_machine()
    async with EmbeddedFirestore(tmp_path / "data") as server:
        documents = SpaceDocuments(server.host)
        await documents.start()
        await documents.put_on_stage("ana", role="host")
        async with WorkerProcess(
            server.host, tmp_path / "objects", media_host=media_host
        ) as worker:
            await worker.ready(documents)
            ana = StageClient()
            await ana.connect(worker, "ana")
            await until(lambda: ana.said("room") and ana.said("you"))

            await documents.participant("ana").update({"muted": True})
            await until(lambda: ana.said("you")[-1]["muted"])
            await documents.put_on_stage("ana", on_stage=False, role="listener")
            await until(lambda: ana.said("closing"))
            await asyncio.wait_for(ana.peer.close(), PATIENCE_S)
        documents.client.close()

    assert ana.said("room")[0]["room"]["stage"][0]["uid"] == "ana"
    assert ana.said("you")[0] == {
        "type": "you",
        "role": "host",
        "muted": False,
        "removed": False,
    }
    assert ana.said("you")[-1]["role"] == "listener"
    assert ana.said("closing") == [{"type": "closing", "reason": "demoted"}]

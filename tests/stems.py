"""A recorder's surroundings for tests: stores, grants, and people who talk."""

import asyncio
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import av
import numpy as np
import obstore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from media_worker.audio.frames import ReceivedPacket
from media_worker.audio.opus import Decoder, Encoder
from media_worker.recording.opening import Stores, open_stores
from media_worker.recording.proof import ManifestSigner
from media_worker.recording.recorder import Recorder
from media_worker.recording.render import Render
from spaces_contract.consent_receipts import (
    SALT_BYTES,
    ConsentAction,
    Receipt,
    SignedReceipt,
    key_id,
    to_base64url,
)
from spaces_contract.ids import UserId
from spaces_contract.recording import (
    ConsentScope,
    DesiredRecording,
    RecordingId,
    RecordingState,
    StemId,
)
from spaces_contract.recording_manifest import Manifest
from spaces_contract.recording_objects import (
    RenderFile,
    recording_prefix,
    render_file,
)
from spaces_contract.recording_render import ConsentedStem, RenderJob, RenderProgress
from tests.audio import BLOCK, Samples, blocks_of
from tests.room_doubles import SPACE, TurnedClock, a_member, desired

RECORDING = RecordingId("recording-1")
PATIENCE_S = 60.0


def stem_of(user_id: str) -> StemId:
    """Return the stem under which `user_id` is recorded here."""
    return StemId(f"stem-of-{user_id}")


def stores_in(folder: Path, *, spool: str = "spool") -> Stores:
    """Open all stores below `folder`; another `spool` is another machine's."""
    return open_stores(
        recordings_url=(folder / "objects").as_uri(),
        keys_url=(folder / "keys").as_uri(),
        key_encryption_url=(folder / "kek.json").as_uri(),
        spool_dir=folder / spool,
    )


def recording_settings(folder: Path) -> dict[str, str]:
    """Return the environment of a process which uses the same stores."""
    return {
        "PARLEY_RECORDINGS_URL": (folder / "objects").as_uri(),
        "PARLEY_RECORDING_KEYS_URL": (folder / "keys").as_uri(),
        "PARLEY_KEY_ENCRYPTION_URL": (folder / "kek.json").as_uri(),
        "PARLEY_SPOOL_DIR": str(folder / "spool"),
        "PARLEY_PROOF_PRIVATE_KEY": PROOF_PEM,
    }


def a_recording(
    *consenting: str,
    state: RecordingState = RecordingState.RECORDING,
    began_at_ms: int,
    version: int = 1,
    recording_id: RecordingId = RECORDING,
) -> DesiredRecording:
    """Return what functions desire, with these grants."""
    return DesiredRecording(
        state=state,
        recording_id=recording_id,
        version=version,
        began_at_ms=began_at_ms,
        notice_version="2026-01",
        stems={UserId(user_id): stem_of(user_id) for user_id in consenting},
    )


async def eventually(holds: Callable[[], bool]) -> None:
    """Wait, for threads to be done, until `holds`."""
    async with asyncio.timeout(PATIENCE_S):
        while not holds():  # noqa: ASYNC110 - threads set no event
            await asyncio.sleep(0.001)


@dataclass
class Stage:
    """
    A recorder, and people who talk into it at the turned clock's pace.

    Args:
        fresh: Whether the worker hears from Firestore.
        watching: Whether the recorder runs, so that echoes are looked for.
    """

    folder: Path
    epoch: int = 1
    spool: str = "spool"
    clock: TurnedClock = field(default_factory=TurnedClock)
    fresh: bool = True
    watching: bool = False

    def __post_init__(self) -> None:
        self.began_at_ms = round(self.clock.utc().timestamp() * 1000)
        self.encoders: dict[str, Encoder] = {}
        self.decoders: dict[str, Decoder] = {}
        self.warned: list[UserId] = []
        self.use(stores_in(self.folder, spool=self.spool))

    def use(self, stores: Stores) -> None:
        """Record anew, to these stores."""
        self.stores = stores
        self.recorder = Recorder(
            epoch=self.epoch,
            storage=self.stores.storage(self.clock),
            clock=self.clock,
            utc_now=self.clock.utc,
            fresh=lambda: self.fresh,
            warn=self.warned.append,
        )

    def desire(
        self,
        *consenting: str,
        on_stage: Mapping[str, bool],
        state: RecordingState = RecordingState.RECORDING,
        version: int = 1,
        live: bool = True,
        epoch: int | None = None,
    ) -> None:
        """Apply a state; `on_stage` says of each whether they are muted."""
        members = [a_member(uid, muted=muted) for uid, muted in on_stage.items()]
        room = desired(*members, live=live, epoch=epoch or self.epoch)
        recording = a_recording(
            *consenting, state=state, began_at_ms=self.began_at_ms, version=version
        )
        self.recorder.apply(replace(room, recording=recording))

    async def keyed(self, stems: int) -> None:
        """Wait until the keys of so many stems are stored."""
        await eventually(lambda: self.recorder.open_stems == stems)

    async def talk(self, voices: Mapping[str, Samples]) -> None:
        """Let people talk at the same time, block by block, and close pages."""
        for number, packets in enumerate(self._packets(voices)):
            for user_id, packet in packets.items():
                self.recorder.packet_received(UserId(user_id), packet)
            self.recorder.blocks_heard(self._decoded(packets))
            await self.clock.advance(0.020)
            if self.watching:
                await eventually(lambda: not self.recorder.echo.is_busy)
            if number % 25 == 24:
                await self.recorder.flush()

    def die(self) -> None:
        """Let go of the spool, as the end of a process does: a lock stays as a file."""
        self.stores.spool.release(RECORDING, self.epoch)
        held = self.folder / self.spool / recording_prefix(RECORDING)
        (held / f"{self.epoch}.lock").touch()

    async def finish(self) -> None:
        """Let the recorder store everything, as long as it takes."""
        finishing = asyncio.ensure_future(self.recorder.finish())
        async with asyncio.timeout(PATIENCE_S):
            while not finishing.done():
                await self.clock.advance(0.2)
                await asyncio.sleep(0.001)
        await finishing

    def _decoded(self, packets: Mapping[str, ReceivedPacket]) -> dict[UserId, Samples]:
        """Return what the room hears of these packets; silence is left out."""
        if not self.watching:
            return {}
        blocks = {
            UserId(user_id): self.decoders.setdefault(user_id, Decoder()).decode(
                packet.payload
            )
            for user_id, packet in packets.items()
        }
        return {u: block for u, block in blocks.items() if np.abs(block).max() > 30}

    def _packets(
        self, voices: Mapping[str, Samples]
    ) -> Iterator[dict[str, ReceivedPacket]]:
        blocks = {user_id: blocks_of(samples) for user_id, samples in voices.items()}
        for number in range(max(len(rows) for rows in blocks.values())):
            yield {
                user_id: self._packet(user_id, rows[number])
                for user_id, rows in blocks.items()
                if number < len(rows)
            }

    def _packet(self, user_id: str, block: Samples) -> ReceivedPacket:
        encoder = self.encoders.setdefault(user_id, Encoder())
        at = round(self.clock.now_s() / 0.020)
        return ReceivedPacket(
            ssrc=sum(user_id.encode()),
            sequence_number=at & 0xFFFF,
            timestamp=(at * BLOCK + sum(user_id.encode()) * 1_000) & 0xFFFF_FFFF,
            payload=encoder.encode(block),
            level_dbov=None,
            arrival_s=self.clock.now_s(),
        )


def files_below(folder: Path) -> dict[str, bytes]:
    """Return all that was written, by path."""
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def pages_below(folder: Path) -> list[str]:
    """Return the paths of all files of pages."""
    return [path for path in files_below(folder) if path.endswith(".pages")]


PROOF_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PROOF_PEM = PROOF_KEY.private_bytes(
    Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
).decode()
PROOF_PUBLIC = PROOF_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def a_receipt(
    user_id: str, action: ConsentAction = ConsentAction.GRANT, **changes: str
) -> SignedReceipt:
    """Return a signed receipt of somebody's answer."""
    receipt = Receipt(
        receipt_id=f"receipt-{user_id}-{action.value}",
        recording_id=changes.get("recording_id", RECORDING),
        space_id=SPACE,
        uid=user_id,
        action=action,
        scopes=(ConsentScope.ARCHIVE,),
        notice_version="2026-01",
        notice_lang="en",
        stem=changes.get("stem", stem_of(user_id)),
        at="2026-01-01T12:00:00.000Z",
    )
    return SignedReceipt(
        receipt=receipt,
        salt=changes.get("salt", "5a" * SALT_BYTES),
        key_id=key_id(PROOF_PUBLIC),
        signature=to_base64url(PROOF_KEY.sign(receipt.signed_bytes())),
    )


def a_job(
    *user_ids: str,
    version: int = 1,
    commitments: Sequence[str] | None = None,
    **changes: Any,
) -> RenderJob:
    """Return a job for the stems of these people, with a chain of their grants."""
    chain = commitments or [a_receipt(user_id).commitment for user_id in user_ids]
    fields: dict[str, Any] = {
        "recording_id": RECORDING,
        "space_id": SPACE,
        "version": version,
        "title": "Morning radio",
        "began_at_ms": 1_767_268_800_000,
        "notice_version": "2026-01",
        "stems": tuple(
            ConsentedStem(
                stem=stem_of(user_id),
                uid=user_id,
                display_name=user_id.title(),
                scopes=(ConsentScope.ARCHIVE,),
                commitment=chain.index(a_receipt(user_id).commitment),
            )
            for user_id in user_ids
        ),
        "commitments": tuple(chain),
    }
    return RenderJob(**(fields | changes))


def put_job(stores: Stores, job: RenderJob) -> None:
    """Tell a render what to do, as functions do."""
    name = render_file(job.recording_id, job.version, RenderFile.JOB)
    obstore.put(stores.objects, name, json.dumps(job.to_json()).encode())


def render(stores: Stores, job: RenderJob) -> RenderProgress:
    """Have a job done, at a fixed time with the tests' key."""
    put_job(stores, job)
    signer = ManifestSigner(PROOF_PEM)
    moment = datetime(2026, 1, 1, 13, tzinfo=UTC)
    making = Render(
        job, stores, signer=signer, end_in=lambda _: None, now=lambda: moment
    )
    return making.run()


def rendered_bytes(stores: Stores, file: RenderFile, *, version: int = 1) -> bytes:
    """Return a file that a render made."""
    name = render_file(RECORDING, version, file)
    return bytes(obstore.get(stores.objects, name).bytes())


def rendered_manifest(stores: Stores, *, version: int = 1) -> Manifest:
    """Return the manifest that a render made."""
    data = rendered_bytes(stores, RenderFile.MANIFEST, version=version)
    return Manifest.from_json(json.loads(data))


def rendered_sound(stores: Stores, *, version: int = 1) -> Samples:
    """Return the samples of the rendered file: mono, 48 kHz."""
    data = rendered_bytes(stores, RenderFile.AUDIO, version=version)
    with av.open(io.BytesIO(data), "r") as file:
        frames = [frame.to_ndarray()[0] for frame in file.decode(audio=0)]
    return (np.concatenate(frames) * 32_767).astype(np.int16)

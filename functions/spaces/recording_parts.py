"""The composition root of recording: its services over stores and keys."""

import functools
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from .adapters.clock import random_token, utc_now
from .adapters.firestore.client import BoundedClient
from .adapters.firestore.recordings import FirestoreRecordingStore
from .adapters.local_playback import LocalPlaybackUrls
from .adapters.proof import Ed25519Prover
from .http import clips, consents, recordings
from .http.operations import Operation
from .recording_config import RecordingConfig
from .service.clips import ClipService
from .service.consents import ConsentService
from .service.ports import EffectQueue, Launcher
from .service.recording_ports import PlaybackUrls, Prover, RecordingObjects
from .service.recordings import RecordingService

if TYPE_CHECKING:
    from .service.announcing import AnnouncingService
    from .service.recording_tasks import RecordingTasks


class RecordingParts:
    """Builds what serves recording; opens no store before it is needed."""

    def __init__(
        self, config: RecordingConfig, client: BoundedClient, public_url: str
    ) -> None:
        self._config = config
        self._store = FirestoreRecordingStore(client, utc_now)
        self._objects = functools.cache(self._open_objects)
        self._public_url = public_url

    def operations(self, effects: EffectQueue) -> tuple[Operation, ...]:
        """Return the operations of clients."""
        prover = self.prover()
        answering = self.consents(effects, prover)
        keeping = RecordingService(
            recordings=self._store,
            open_objects=self._objects,
            open_urls=functools.cache(self._open_urls),
            effects=effects,
            now=utc_now,
        )
        sharing = ClipService(
            recordings=self._store,
            open_objects=keeping.open_objects,
            open_urls=keeping.open_urls,
            effects=effects,
            now=utc_now,
        )
        return (
            *recordings.operations(keeping),
            *clips.operations(sharing),
            *consents.operations(answering, prover),
        )

    def prover(self) -> Prover:
        """Return what signs receipts."""
        return Ed25519Prover(
            self._config.proof_private_key, self._config.retired_proof_keys
        )

    def consents(self, effects: EffectQueue, prover: Prover) -> ConsentService:
        """Return the use cases of whoever may be recorded."""
        return ConsentService(
            recordings=self._store,
            prover=prover,
            effects=effects,
            now=utc_now,
            new_token=random_token,
            random_bytes=secrets.token_bytes,
            kept_days=self._config.kept_days,
        )

    def tasks(
        self,
        launcher: Launcher,
        announcing: "AnnouncingService",
        effects: EffectQueue,
        wants_event: Callable[[str], bool],
    ) -> "RecordingTasks":
        """Return what the task queue calls; clients' instances load none of it."""
        from .service.clip_tasks import ClipTasks
        from .service.recording_news import PushedRecordingNews
        from .service.recording_tasks import RecordingTasks

        return RecordingTasks(
            recordings=self._store,
            open_objects=self._objects,
            launcher=launcher,
            clips=ClipTasks(
                recordings=self._store,
                open_objects=self._objects,
                launcher=launcher,
                effects=effects,
                now=utc_now,
            ),
            news=PushedRecordingNews(
                announcing=announcing,
                effects=effects,
                now=utc_now,
                wants_event=wants_event,
            ),
            effects=effects,
            now=utc_now,
            kept_for=timedelta(days=self._config.kept_days),
        )

    def _open_objects(self) -> RecordingObjects:
        from .adapters.object_stores import open_store
        from .adapters.recording_objects import StoredRecordingObjects

        return StoredRecordingObjects(
            open_store(self._config.recordings_url), open_store(self._config.keys_url)
        )

    def _open_urls(self) -> PlaybackUrls:
        secret = self._config.playback_secret
        if secret is not None:
            return LocalPlaybackUrls(self._public_url, secret)
        from .adapters.object_stores import open_store
        from .adapters.recording_objects import SignedPlaybackUrls

        return SignedPlaybackUrls(open_store(self._config.recordings_url))

"""One worker's life: claim the epoch, run the room, leave in good order."""

import asyncio
import contextlib
import logging
from datetime import UTC, datetime
from typing import Final

from spaces_contract.ids import SpaceId, UserId

from .audio.opus import Decoder
from .config import Config
from .control.app import ControlApi
from .control.feeds import FeedApi
from .control.hls import HlsApi
from .epoch_life import EpochLife, ExitCode
from .firestore_link.connection import connect
from .live_edge.edge_store import EdgeStore
from .live_edge.opening import open_hls
from .live_edge.room_json import StoredRoomJson
from .metrics import (
    Metric,
    endpoint_metrics,
    link_metrics,
    process_metrics,
    render,
)
from .recording.epoch_recording import Storage
from .recording.opening import open_stores
from .recording.recorder import Recorder
from .room.clock import MonotonicClock
from .room.echo_warning import warn_of_echo
from .room.relay_feeds import RelayFeeds
from .room.room import Room
from .room_metrics import (
    hls_metrics,
    recording_metrics,
    room_metrics,
    tick_histograms,
)
from .shared_parts import (
    forward_check,
    new_claim,
    reachable,
    running,
    spread_endpoint,
)
from .start_trace import StartTrace
from .transport import stage_channel  # noqa: F401 -- so that no speaker waits for it

logger = logging.getLogger(__name__)

# For what was recorded last; what is not stored by then stays in the spool.
RECORDING_PATIENCE_S: Final = 6.0
HLS_PATIENCE_S: Final = 2.0  # players that are not told hear that nothing comes


class Worker:
    """
    Composes one Space's worker.

    Lifecycle: `run()` once; `stop()` lets it drain and return, at any time.
    """

    def __init__(self, config: Config, start: StartTrace) -> None:
        self._config = config
        self._clock = MonotonicClock()
        self._firestore = connect(config.project_id, emulator_host=config.emulator_host)
        self._endpoint = spread_endpoint(config, start)
        self._edge = EdgeStore(config.live_edge_url)
        self._publisher = StoredRoomJson(self._edge)
        self._recorder = Recorder(
            epoch=config.epoch,
            storage=self._storage(),
            clock=self._clock,
            utc_now=lambda: datetime.now(UTC),
            fresh=lambda: self._life.knows,
            warn=self._warn_of_echo,
        )
        self._hls = open_hls(
            config.space_id,
            config.epoch,
            self._edge,
            keys_url=config.live_keys_url,
            clock=self._clock,
            fresh=lambda: self._life.holds,
            removed=lambda: self._room.desired.removed,
        )
        self._room = Room(
            space_id=SpaceId(config.space_id),
            epoch=config.epoch,
            endpoint=self._endpoint,
            recorder=self._recorder,
            broadcast=self._hls,
            new_decoder=Decoder,
            publisher=self._publisher,
            clock=self._clock,
            utc_now=lambda: datetime.now(UTC),
            long_frames_from=config.long_frames_from,
            capacity=config.session_capacity,
        )
        self._life = EpochLife(
            self._firestore,
            self._room,
            clock=self._clock,
            finish=self._finish,
            on_relief=self._hls.hand_over,
        )

    def leave(self) -> None:
        """Hand over to a successor, where there is anybody; what SIGTERM does."""
        empty = self.claimed.is_set() and not self._room.book.participant_count()
        if empty:
            self._life.stop()
        else:
            self._life.leave()

    def stop(self) -> None:
        """Drain at once: no new sessions, tell peers, close; what SIGINT does."""
        self._life.stop()

    @property
    def claimed(self) -> asyncio.Event:
        """Set once the epoch is ours."""
        return self._life.claimed

    async def run(self) -> ExitCode:
        """
        Serve the Space until it ends, the epoch is lost or `stop` is called.

        Raises:
            CannotStart: an address is taken.
            ExceptionGroup: the room or the link crashed.
        """
        async with reachable(
            self._config, self._endpoint, self._room, self._firestore
        ) as control:
            control.serve(self._api().app(), on_death=self.stop)
            async with (
                running(self._room.run(), "room") as mixing,
                running(self._hls.run(), "hls"),
                running(self._recorder.run(), "recorder"),
            ):
                claim = new_claim(self._config, self._endpoint, control.url)
                code = await self._life.run(claim, mixing)
                return ExitCode.CRASHED if control.died else code

    def _warn_of_echo(self, user_id: UserId) -> None:
        warn_of_echo(user_id, endpoint=self._endpoint, book=self._room.book)

    async def _finish(self) -> None:
        await asyncio.gather(self._finish_recording(), self._finish_hls())

    async def _finish_hls(self) -> None:
        ended = not self._room.desired.live
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HLS_PATIENCE_S):
                await self._hls.finish(space_ended=ended)

    async def _finish_recording(self) -> None:
        try:
            async with asyncio.timeout(RECORDING_PATIENCE_S):
                await self._recorder.finish()
        except TimeoutError:
            logger.error("recording left in the spool")

    def _storage(self) -> Storage | None:
        recording = self._config.recording
        if recording is None:
            return None
        return open_stores(
            recordings_url=recording.recordings_url,
            keys_url=recording.keys_url,
            key_encryption_url=recording.key_encryption_url,
            spool_dir=recording.spool_dir,
        ).storage(self._clock)

    def _api(self) -> ControlApi:
        check = forward_check(self._config)
        return ControlApi(
            self._room.doorway,
            check,
            react=self._room.react,
            ready=lambda: self._life.is_ready,
            metrics=self._metrics,
            others=[
                *HlsApi(self._hls, check).routes(),
                *FeedApi(RelayFeeds(self._room), check).routes(),
            ],
        )

    async def _metrics(self) -> str:
        await self._endpoint.refresh()
        metrics = [
            *process_metrics(),
            *room_metrics(self._room),
            *recording_metrics(self._recorder),
            *endpoint_metrics(self._endpoint),
            *hls_metrics(self._hls),
            Metric("room_json_failures_total", self._publisher.failures),
            Metric("live_edge_failures_total", self._edge.failures),
        ]
        if self._life.link is not None:
            metrics += link_metrics(self._life.link)
        return render(metrics, tick_histograms(self._room, self._endpoint))

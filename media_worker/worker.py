"""One worker's life: claim the epoch, run the room, leave in good order."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

from spaces_contract.ids import SpaceId, UserId
from spaces_contract.roles import PeerCloseReason
from spaces_contract.runtime import WorkerState

from .audio.opus import Decoder
from .config import Address, Config
from .control.app import ControlApi
from .control.forward_check import ForwardCheck
from .control.server import ControlServer
from .egress.processes.child import Spawn
from .egress.processes.spread import SpreadEndpoint
from .firestore_link.claim import Claim, ClaimRefused, claim_epoch
from .firestore_link.connection import CallFailed, connect
from .firestore_link.link import FirestoreLink
from .live_edge.room_json import StoredRoomJson
from .metrics import (
    Metric,
    endpoint_metrics,
    link_metrics,
    process_metrics,
    recording_metrics,
    render,
    room_metrics,
)
from .recording.epoch_recording import Storage
from .recording.opening import open_stores
from .recording.recorder import Recorder
from .room.clock import MonotonicClock
from .room.echo_warning import warn_of_echo
from .room.ports import DesiredState
from .room.room import Room
from .room.room_end import RoomEnd
from .transport import stage_channel  # noqa: F401 -- so that no speaker waits for it
from .transport.endpoint import UdpMediaEndpoint

logger = logging.getLogger(__name__)

CLAIM_PATIENCE_S: Final = 30.0
CLAIM_RETRY_S: Final = 0.5
CLOSE_PATIENCE_S: Final = 1.0
REPORT_PATIENCE_S: Final = 0.8
# For what was recorded last; what is not stored by then stays in the spool.
RECORDING_PATIENCE_S: Final = 6.0


class ExitCode(IntEnum):
    """What the process answers to whoever launched it."""

    DONE = 0  # the Space ended, or we were asked to stop
    CRASHED = 1
    CONFIG = 2
    NOT_OURS = 3  # the epoch is another's; do not restart this one


class CannotStart(Exception):
    """An address, or the folder of the live edge, is not to be had."""


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Take the operating system's refusals for what whoever configured us can mend."""
    try:
        yield
    except OSError as error:
        raise CannotStart(str(error)) from error


class Worker:
    """
    Composes one Space's worker.

    Lifecycle: `run()` once; `stop()` lets it drain and return, at any time.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._clock = MonotonicClock()
        self._state = WorkerState.LAUNCHING
        self._stopping = asyncio.Event()
        self._firestore = connect(config.project_id, emulator_host=config.emulator_host)
        self._endpoint = _endpoint(config)
        self._publisher = StoredRoomJson(config.live_edge_url)
        self._link: FirestoreLink | None = None
        self._recorder = Recorder(
            epoch=config.epoch,
            storage=self._storage(),
            clock=self._clock,
            utc_now=lambda: datetime.now(UTC),
            fresh=lambda: self._link is not None and not self._link.knowledge_stale,
            warn=self._warn_of_echo,
        )
        self._room = Room(
            space_id=SpaceId(config.space_id),
            epoch=config.epoch,
            endpoint=self._endpoint,
            recorder=self._recorder,
            new_decoder=Decoder,
            publisher=self._publisher,
            clock=self._clock,
            utc_now=lambda: datetime.now(UTC),
            long_frames_from=config.long_frames_from,
        )

    def stop(self) -> None:
        """Drain: no new sessions, tell peers, close; what SIGTERM does."""
        self._stopping.set()
        self._room.end(RoomEnd.WORKER_STOPPING)

    async def run(self) -> ExitCode:
        """
        Serve the Space until it ends, the epoch is lost or `stop` is called.

        Raises:
            CannotStart: an address is taken.
            ExceptionGroup: the room or the link crashed.
        """
        async with AsyncExitStack() as stack:
            with starting():
                control = ControlServer(*self._config.control_bind)
            stack.push_async_callback(control.aclose)
            stack.push_async_callback(self._firestore.aclose)
            with starting():
                self._endpoint.start(self._room)
            stack.push_async_callback(self._close_endpoint)
            control.serve(self._api().app(), on_death=self.stop)
            mixing = asyncio.create_task(self._room.run(), name="room")
            stack.push_async_callback(_cancelled, mixing)
            recording = asyncio.create_task(self._recorder.run(), name="recorder")
            stack.push_async_callback(_cancelled, recording)
            code = await self._run_claimed(control, mixing)
            return ExitCode.CRASHED if control.died else code

    async def _run_claimed(
        self, control: ControlServer, mixing: "asyncio.Task[RoomEnd]"
    ) -> ExitCode:
        claim = self._claim(self._config.control_url or control.url)
        claiming = asyncio.create_task(self._claim_epoch(claim), name="claim")
        await asyncio.wait({claiming, mixing}, return_when=asyncio.FIRST_COMPLETED)
        if not claiming.done():  # stopped before anything began
            await _cancelled(claiming)
            await mixing  # raises, where it had crashed
            return ExitCode.DONE
        try:
            fence = claiming.result()
        except ClaimRefused as error:
            logger.error("claim refused", extra={"reason": str(error)})
            return ExitCode.NOT_OURS
        self._state = WorkerState.READY
        logger.info("ready", extra={"control_url": claim.control_url})
        self._link = FirestoreLink(
            self._firestore,
            claim,
            fence=fence,
            presence=lambda: self._room.presence(self._state),
            events=self,
            clock=self._clock,
        )
        return await self._run_linked(self._link, mixing)

    async def _run_linked(
        self, link: FirestoreLink, mixing: "asyncio.Task[RoomEnd]"
    ) -> ExitCode:
        linking = asyncio.create_task(link.run(), name="link")
        linking.add_done_callback(lambda _: self._room.end(RoomEnd.WORKER_STOPPING))
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({mixing, stopping}, return_when=asyncio.FIRST_COMPLETED)
            await _cancelled(linking)
            if not mixing.done():
                self._state = WorkerState.DRAINING
                await self._report(link)
            end = await mixing
            await self._finish_recording()
        finally:
            await _cancelled(stopping)
            await _cancelled(linking)
        if end is RoomEnd.SUPERSEDED:
            return ExitCode.NOT_OURS
        self._state = WorkerState.STOPPED
        await self._report(link)
        if not linking.cancelled():
            linking.result()  # a link that ends by itself has crashed
        logger.info("stopped", extra={"reason": end.value})
        return ExitCode.DONE

    def desired_changed(self, desired: DesiredState) -> None:
        """Reconcile with a new desired state."""
        self._room.apply(desired)

    def epoch_lost(self) -> None:
        """Stop at once."""
        self._room.end(RoomEnd.SUPERSEDED)

    def _claim(self, control_url: str) -> Claim:
        egresses = [udp.announced for udp in self._config.udp_endpoints[1:]]
        return Claim(
            space_id=self._config.space_id,
            epoch=self._config.epoch,
            worker_id=secrets.token_hex(8),
            control_url=control_url,
            udp_endpoints=tuple(map(_told, [self._endpoint.announced, *egresses])),
        )

    async def _claim_epoch(self, claim: Claim) -> Any:
        """Claim, waiting out an outage of Firestore for a while."""
        deadline_s = self._clock.now_s() + CLAIM_PATIENCE_S
        while True:
            try:
                return await claim_epoch(self._firestore, claim)
            except CallFailed as error:
                if self._clock.now_s() > deadline_s:
                    raise
                logger.warning("claim failed", extra={"error": type(error).__name__})
            await asyncio.sleep(CLAIM_RETRY_S)

    async def _report(self, link: FirestoreLink) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REPORT_PATIENCE_S):
                await link.report_last()

    def _warn_of_echo(self, user_id: UserId) -> None:
        warn_of_echo(user_id, endpoint=self._endpoint, book=self._room.book)

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

    async def _close_endpoint(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_PATIENCE_S):
                await self._endpoint.aclose(PeerCloseReason.WORKER_STOPPING)

    def _api(self) -> ControlApi:
        check = ForwardCheck(
            self._config.grant_public_key,
            space_id=self._config.space_id,
            epoch=self._config.epoch,
        )
        return ControlApi(
            self._room,
            check,
            ready=lambda: (
                self._state is WorkerState.READY and not self._stopping.is_set()
            ),
            metrics=self._metrics,
        )

    async def _metrics(self) -> str:
        await self._endpoint.refresh()
        loop = self._room.loop
        metrics = [
            *process_metrics(),
            *room_metrics(self._room),
            *recording_metrics(self._recorder),
            *endpoint_metrics(self._endpoint),
            Metric("room_json_failures_total", self._publisher.failures),
        ]
        if self._link is not None:
            metrics += link_metrics(self._link)
        return render(metrics, {"loop_lag_s": loop.lag, "tick_s": loop.work})


def _endpoint(config: Config) -> SpreadEndpoint:
    own, *others = config.udp_endpoints
    labels: dict[str, str | int] = {"space_id": config.space_id, "epoch": config.epoch}
    return SpreadEndpoint(
        UdpMediaEndpoint(bind=own.bind, announced=own.announced),
        [
            Spawn(bind=udp.bind, announced=udp.announced, labels=labels)
            for udp in others
        ],
        egress_from=config.egress_from,
    )


def _told(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def _cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel a task and wait for its end; how it ended is its owner's to ask."""
    task.cancel()
    await asyncio.wait([task])

"""One Listen stream: its targets, what it still has to send, and in which order."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ..wire.call import Call, framed
from .errors import StatusError, invalid
from .execution import QueryRunner
from .gathering import Gathering
from .hub import Hub
from .operations import Kind, OperationCounter
from .paths import decode_key
from .protocol import ListenResponse, Message, from_timestamp, to_timestamp
from .targets import Target, parse_target
from .tokens import check_read_time, make_token, read_token
from .watches import Event

MAX_TARGETS: Final = 1_000
_NO_CHANGE: Final = 0
_ADD: Final = 1
_REMOVE: Final = 2
_CURRENT: Final = 3
_RESET: Final = 4


@dataclass(slots=True)
class ListenContext:
    """What all streams share."""

    hub: Hub
    runner: QueryRunner
    counter: OperationCounter
    database_id: int
    now_us: Callable[[], int]
    gathering: Gathering = field(default_factory=Gathering)
    streams: "set[ListenStream]" = field(default_factory=set)
    _snapshot: tuple[int, bytes] = (-1, b"")

    def snapshot(self) -> bytes:
        """Return the message that says: all changes up to now were sent."""
        version = self.hub.version
        if self._snapshot[0] != version:
            response = ListenResponse()
            change = response.target_change
            change.target_change_type = _NO_CHANGE
            change.read_time.CopyFrom(to_timestamp(version))
            change.resume_token = make_token(self.database_id, version)
            self._snapshot = version, framed(response.SerializeToString())
        return self._snapshot[1]

    def refresh(self) -> None:
        """Give every stream a new resume token, lest those of quiet ones grow old."""
        for stream in self.streams:
            stream.refresh()


class ListenStream:
    """
    Serves one client.

    Pending changes are kept one per target and document, the newest: a slow client
    costs no more memory than its results have documents, and skips states that were
    replaced before it could take them.
    """

    def __init__(self, context: ListenContext, call: Call) -> None:
        self._context = context
        self._call = call
        self._targets: dict[int, Target] = {}
        self._pending: dict[tuple[int, bytes], Event] = {}
        context.streams.add(self)

    def request(self, request: Message) -> None:
        """
        Take a request of the client.

        Raises:
            StatusError: INVALID_ARGUMENT, which ends the stream.
        """
        self._send_pending()  # a token must not be sent before what it stands for
        if request.WhichOneof("target_change") == "add_target":
            self._add(request.add_target, request.database)
        elif request.WhichOneof("target_change") == "remove_target":
            self._remove(request.remove_target)
        else:
            raise invalid("A listen request must add or remove a target.")

    def deliver(self, target_id: int, event: Event) -> None:
        """Take a change of a watched document."""
        if not self._pending:
            self._context.gathering.wake(self)
        self._pending[target_id, event.key] = event

    def wake(self) -> None:
        """Send soon what is pending: there is room for it."""
        if self._pending:
            self._context.gathering.wake(self)

    def flush(self) -> None:
        """Send what is pending, unless the client is behind: `wake` comes later."""
        if self._call.ready:
            self._send_pending()

    def refresh(self) -> None:
        """Send a new resume token."""
        if self._targets and not self._pending and self._call.ready:
            self._call.send(self._context.snapshot())

    def close(self) -> None:
        """Forget all targets; call it once."""
        self._context.streams.discard(self)
        self._context.gathering.forget(self)
        for target_id in list(self._targets):
            self._forget(target_id)

    def _send_pending(self) -> None:
        if not self._pending:
            return
        pending, self._pending = self._pending, {}
        messages = [
            _encode(event, target_id) for (target_id, _), event in pending.items()
        ]
        messages.append(self._context.snapshot())
        self._call.send(b"".join(messages))

    def _add(self, message: Message, database: str) -> None:
        target_id = message.target_id
        if target_id == 0:
            target_id = max(self._targets, default=0) + 1
        if len(self._targets) >= MAX_TARGETS:
            raise invalid(f"At most {MAX_TARGETS} targets per stream are allowed.")
        self._forget(target_id)
        hub = self._context.hub
        try:
            target = parse_target(message, database)
            past = self._past(message)
            target.attach(hub, self, target_id)
        except StatusError as error:
            self._change(_REMOVE, target_id, cause=error)
            return
        self._targets[target_id] = target
        self._change(_ADD, target_id)
        self._show(target, target_id, past)
        self._change(_CURRENT, target_id, version=hub.version)
        self._call.send(self._context.snapshot())
        if message.once:
            self._remove(target_id)

    def _past(self, message: Message) -> int | None:
        """Return the version that the client already has; None for nothing."""
        hub, horizon = self._context.hub, self._context.runner.store.horizon
        kind = message.WhichOneof("resume_type")
        if kind == "read_time":
            past = from_timestamp(message.read_time)
            check_read_time(past, now_us=self._context.now_us(), horizon=horizon)
            return min(past, hub.version)
        if kind != "resume_token" or not message.resume_token:
            return None
        version = read_token(message.resume_token, self._context.database_id)
        if version is None or not horizon <= version <= hub.version:
            return -1
        return version

    def _show(self, target: Target, target_id: int, past: int | None) -> None:
        runner, version = self._context.runner, self._context.hub.version
        if past is None or past < 0:
            if past is not None:
                self._change(_RESET, target_id)  # too old: from the beginning
            events = target.everything(runner, version)
        else:
            events = target.since(runner, past, version)
        delivered = 0
        for event in events:
            self._call.send(_encode(event, target_id))
            if event.document is not None:
                delivered += 1
                collection_id = decode_key(event.key).segments[-2]
                self._context.counter.add(Kind.READS, collection_id)
        if not delivered:
            self._context.counter.add_query(target.collection_id, 0)

    def _remove(self, target_id: int) -> None:
        if self._forget(target_id):
            self._change(_REMOVE, target_id)

    def _forget(self, target_id: int) -> bool:
        target = self._targets.pop(target_id, None)
        if target is None:
            return False
        target.detach(self._context.hub, self, target_id)
        for waiting in [key for key in self._pending if key[0] == target_id]:
            del self._pending[waiting]
        return True

    def _change(
        self,
        kind: int,
        target_id: int,
        *,
        version: int | None = None,
        cause: StatusError | None = None,
    ) -> None:
        response = ListenResponse()
        change = response.target_change
        change.target_change_type = kind
        change.target_ids.append(target_id)
        if version is not None:
            change.resume_token = make_token(self._context.database_id, version)
            change.read_time.CopyFrom(to_timestamp(version))
        if cause is not None:
            change.cause.code = cause.number
            change.cause.message = cause.detail
        self._call.send(framed(response.SerializeToString()))


def _encode(event: Event, target_id: int) -> bytes:
    """Return the message for an event; equal targets of all streams share it."""
    encoded = event.encoded.get(target_id)
    if encoded is not None:
        return encoded
    response = ListenResponse()
    if event.document is not None:
        shown = response.document_change.document
        if event.projection is None:
            shown.ParseFromString(event.document.data)
        else:
            shown.CopyFrom(event.document.masked(event.projection))
        response.document_change.target_ids.append(target_id)
    else:
        gone = response.document_delete if event.deleted else response.document_remove
        gone.document = decode_key(event.key).name
        gone.read_time.CopyFrom(to_timestamp(event.version))
        gone.removed_target_ids.append(target_id)
    fresh = framed(response.SerializeToString())
    event.encoded[target_id] = fresh
    return fresh

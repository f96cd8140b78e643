"""Telling operators' servers what happened: signed, once at least, in any order."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

from spaces_contract.ids import SpaceId
from spaces_contract.timestamps import rfc3339

from ..domain.effects import DeliverWebhook, TellWebhooks
from ..domain.errors import DependencyUnavailable, SpaceNotFound
from ..domain.participant import Participant
from ..domain.runtime import Runtime
from ..domain.space import Decision, Space
from ..domain.webhook import (
    GIVE_UP_AFTER,
    STORED_WITHIN,
    Endpoint,
    Event,
    events_of,
)
from .ports import Clock, Cursor, EffectQueue, Once, SpaceStore

GONE: Final = 410  # the receiver wants no more of it

logger = logging.getLogger(__name__)


class WebhookSender(Protocol):
    """Posts to operators' servers."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """
        Return the status of the answer; redirects are not followed.

        Raises:
            DependencyUnavailable: there is no answer in time.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookService:
    """What tasks do to tell operators' servers.  Each may run twice, or late."""

    spaces: SpaceStore
    endpoints: Sequence[Endpoint]
    sender: WebhookSender
    effects: EffectQueue
    now: Clock
    public_url: str

    def tell(self, event: Event) -> None:
        """
        Have the event delivered to each endpoint that wants it, each by itself.

        Raises:
            SpaceNotFound: the Space never came to be.
            DependencyUnavailable: or not yet; the task is to come again.
        """
        try:
            self.spaces.get(event.space_id)
        except SpaceNotFound:
            if self.now() - event.at < STORED_WITHIN:
                raise DependencyUnavailable from None
            raise
        for endpoint in self.endpoints:
            if endpoint.wants(event.type):
                self.effects.put(DeliverWebhook(_effect(event), endpoint.id))

    def deliver(self, event: Event, endpoint_id: str) -> None:
        """
        Deliver one event to one endpoint.

        Raises:
            SpaceNotFound: it never came to be.
            DependencyUnavailable: not taken yet; the task is to come again.
        """
        endpoint = next((e for e in self.endpoints if e.id == endpoint_id), None)
        if endpoint is None:  # configured no more
            return
        now = self.now()
        if now - event.at > GIVE_UP_AFTER:
            logger.error("webhook given up", extra={"event": event.id})
            return
        body = self._body(event, self.spaces.get(event.space_id))
        headers = signed_headers(event.id, body, endpoint.secret, now=now)
        status = self.sender.post(endpoint.url, body, headers)
        if status == GONE:
            logger.error("webhook not wanted", extra={"event": event.id})
        elif not 200 <= status < 300:
            logger.warning("webhook", extra={"event": event.id, "status": status})
            raise DependencyUnavailable

    def _body(self, event: Event, space: Space) -> bytes:
        message = {
            "type": event.type,
            "timestamp": rfc3339(event.at),
            "data": {"space": _public(space, self.public_url), **_recording(event)},
        }
        return json.dumps(message, separators=(",", ":")).encode()


def signed_headers(
    event_id: str, body: bytes, secret: bytes, *, now: datetime
) -> dict[str, str]:
    """Return the headers of a delivery, as Standard Webhooks 1.0 says."""
    timestamp = str(int(now.timestamp()))
    signed = b".".join((event_id.encode(), timestamp.encode(), body))
    digest = hmac.digest(secret, signed, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _public(space: Space, public_url: str) -> dict[str, Any]:
    """Return what everybody may see of a Space, as it is now."""
    times = {
        "scheduled_start": space.scheduled_start,
        "started_at": space.started_at,
        "ended_at": space.ended_at,
        "created_at": space.created_at,
    }
    return {
        "id": space.id,
        "state": space.state.value,
        "title": space.title,
        "topics": list(space.topics),
        "creator_id": space.creator_id,
        "host_ids": list(space.host_ids),
        "speaker_ids": list(space.speaker_ids),
        "participant_count": space.participant_count,
        "subscriber_count": space.subscriber_count,
        "end_reason": space.end_reason.value if space.end_reason else None,
        "url": f"{public_url}/s/{space.id}",
        **{name: rfc3339(at) if at else None for name, at in times.items()},
    }


def _recording(event: Event) -> dict[str, Any]:
    """Return which version of a recording an event is about; its id is the Space's."""
    if not event.type.startswith("recording."):
        return {}
    return {"recording": {"id": event.space_id, "version": event.version}}


def _effect(event: Event) -> TellWebhooks:
    return TellWebhooks(event.space_id, event.type, event.version, event.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventfulSpaceStore:
    """
    `SpaceStore` whose changes are told by webhook where somebody wants to know.

    What an update changes is stored with it, and carried out after the commit, as all
    effects are.

    Args:
        wants: Whether any endpoint wants events of this type.
    """

    store: SpaceStore
    effects: EffectQueue
    now: Clock
    wants: Callable[[str], bool]

    def create(self, space: Space, host: Participant, once: Once | None) -> Space:
        """Ask for the events first; see `SpaceStore`."""
        for effect in self._wanted(None, space, self.now()):
            self.effects.put(effect)
        return self.store.create(space, host, once)

    def update(
        self, space_id: SpaceId, decide: Callable[[Space], Decision]
    ) -> Decision:
        """Store events with the change; see `SpaceStore`."""
        now = self.now()
        return self.store.update(
            space_id, lambda space: self._eventful(space, decide(space), now)
        )

    def supervise(
        self, space_id: SpaceId, decide: Callable[[Space, Runtime | None], Decision]
    ) -> Decision:
        """Store events with the change; see `SpaceStore`."""
        now = self.now()
        return self.store.supervise(
            space_id,
            lambda space, runtime: self._eventful(space, decide(space, runtime), now),
        )

    def made_by(self, once: Once) -> Space | None:
        """See `SpaceStore`."""
        return self.store.made_by(once)

    def get(self, space_id: SpaceId) -> Space:
        """See `SpaceStore`."""
        return self.store.get(space_id)

    def get_with_runtime(self, space_id: SpaceId) -> tuple[Space, Runtime | None]:
        """See `SpaceStore`."""
        return self.store.get_with_runtime(space_id)

    def runtime(self, space_id: SpaceId) -> Runtime | None:
        """See `SpaceStore`."""
        return self.store.runtime(space_id)

    def live(self, *, limit: int, after: Cursor | None) -> Sequence[Space]:
        """See `SpaceStore`."""
        return self.store.live(limit=limit, after=after)

    def _eventful(self, before: Space, decision: Decision, now: datetime) -> Decision:
        told = self._wanted(before, decision.space, now)
        return (
            replace(decision, effects=(*decision.effects, *told)) if told else decision
        )

    def _wanted(
        self, before: Space | None, after: Space, at: datetime
    ) -> tuple[TellWebhooks, ...]:
        happened = events_of(before, after, now=at)
        return tuple(_effect(each) for each in happened if self.wants(each.type))

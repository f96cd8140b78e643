"""Pushes through Firebase Cloud Messaging, in the form that each platform wants."""

import asyncio
import itertools
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import firebase_admin
import firebase_admin.messaging
from firebase_admin import exceptions
from google.auth.credentials import AnonymousCredentials

from spaces_contract.ids import UserId

from ..domain.push import Platform, Push, PushOutcome

# It publishes no types, and strict mypy minds each of its constructors.
messaging: Any = firebase_admin.messaging
BATCH: Final = 100  # messages in flight; the library takes up to 500
HTTP_TIMEOUT_S: Final = 5.0
SEND_FOR_S: Final = 20.0  # less than a lease, or another task would send as well
APNS_COLLAPSE_ID_BYTES: Final = 64
WEB_TOPIC_CHARS: Final = 32  # RFC 8030 5.4

_app_numbers = itertools.count()  # firebase-admin registers apps by name, for good

logger = logging.getLogger(__name__)


class FcmPushSender:
    """
    `PushSender` on FCM's HTTP v1 API.

    Args:
        fcm_url: The embedded sink, up to `/v1`; None is Google's FCM.
    """

    def __init__(self, project_id: str, *, fcm_url: str | None = None) -> None:
        credentials = None
        if fcm_url is not None:
            credentials = AnonymousCredentials()  # type: ignore[no-untyped-call]  # no types
        self._app = firebase_admin.initialize_app(  # type: ignore[no-untyped-call]  # no types
            credentials,
            {"projectId": project_id, "httpTimeout": HTTP_TIMEOUT_S},
            name=f"parley-push-{next(_app_numbers)}",
        )
        if fcm_url is not None:
            _repoint(self._app, f"{fcm_url}/v1/projects/{project_id}/messages:send")
        # The library keeps one HTTP client, which lives in one event loop.
        self._loop = asyncio.new_event_loop()
        self._one_at_a_time = threading.Lock()

    def send(self, pushes: Sequence[Push]) -> Mapping[tuple[UserId, str], PushOutcome]:
        """Send in batches; see `PushSender`."""
        outcomes: dict[tuple[UserId, str], PushOutcome] = {}
        until_s = time.monotonic() + SEND_FOR_S
        for start in range(0, len(pushes), BATCH):
            batch = pushes[start : start + BATCH]
            for push, outcome in zip(batch, self._sent(batch, until_s), strict=True):
                outcomes[push.device.user_id, push.device.device_id] = outcome
        return outcomes

    def close(self) -> None:
        """Close the connections; nothing can be sent any more."""
        service = messaging._get_messaging_service(self._app)
        with self._one_at_a_time:
            self._loop.run_until_complete(service._async_client.aclose())
            self._loop.close()

    def _sent(self, pushes: Sequence[Push], until_s: float) -> Sequence[PushOutcome]:
        messages = [fcm_message(push) for push in pushes]
        try:
            with self._one_at_a_time:
                answer = self._loop.run_until_complete(
                    asyncio.wait_for(
                        messaging.send_each_async(messages, app=self._app),
                        max(until_s - time.monotonic(), 0),
                    )
                )
        except (exceptions.FirebaseError, TimeoutError):  # nobody there, or too slow
            logger.warning("push service does not answer", exc_info=True)
            return [PushOutcome.LATER] * len(pushes)
        return [_outcome(response.exception) for response in answer.responses]


def fcm_message(push: Push) -> Any:
    """Return the message of a push, with the part of its device's platform only."""
    part = {
        Platform.ANDROID: {"android": _android(push)},
        Platform.IOS: {"apns": _apns(push)},
        Platform.WEB: {"webpush": _webpush(push)},
    }[push.device.platform]
    message = messaging.Message(
        data={
            "id": push.id,
            "kind": push.kind,
            "space_id": push.space_id,
            "link": push.link,
        },
        **part,
    )
    # Not by the constructor, which warns of tokens; that is what devices have.
    message.token = push.device.token
    return message


def _android(push: Push) -> Any:
    return messaging.AndroidConfig(
        priority="high" if push.urgency.high else "normal",
        ttl=push.urgency.lifetime,
        notification=messaging.AndroidNotification(
            title=push.title,
            body=push.body,
            tag=push.tag,
            channel_id=push.urgency.channel,
        ),
    )


def _apns(push: Push) -> Any:
    expires_at = push.sent_at + push.urgency.lifetime
    return messaging.APNSConfig(
        headers={
            "apns-push-type": "alert",
            "apns-priority": "10" if push.urgency.high else "5",
            "apns-expiration": str(int(expires_at.timestamp())),
            "apns-collapse-id": push.tag[:APNS_COLLAPSE_ID_BYTES],
        },
        payload=messaging.APNSPayload(
            aps=messaging.Aps(
                alert=messaging.ApsAlert(title=push.title, body=push.body),
                sound="default" if push.urgency.high else None,
                thread_id=push.urgency.channel,
            ),
        ),
    )


def _webpush(push: Push) -> Any:
    secure = push.link.startswith("https://")  # FCM takes no other
    return messaging.WebpushConfig(
        headers={
            "TTL": str(push.urgency.lifetime // timedelta(seconds=1)),
            "Urgency": "high" if push.urgency.high else "normal",
            "Topic": push.tag[:WEB_TOPIC_CHARS],
        },
        notification=messaging.WebpushNotification(
            title=push.title, body=push.body, tag=push.tag
        ),
        fcm_options=messaging.WebpushFCMOptions(link=push.link) if secure else None,
    )


_OUTCOMES: Final[Sequence[tuple[Any, PushOutcome]]] = (
    (messaging.UnregisteredError, PushOutcome.UNREGISTERED),
    (messaging.SenderIdMismatchError, PushOutcome.REFUSED),
    (exceptions.InvalidArgumentError, PushOutcome.REFUSED),
)


def _outcome(error: Exception | None) -> PushOutcome:
    if error is None:
        return PushOutcome.SENT
    for kind, outcome in _OUTCOMES:
        if isinstance(error, kind):
            if outcome is PushOutcome.REFUSED:
                logger.error("push refused for good", exc_info=error)
            return outcome
    return PushOutcome.LATER  # quota, unavailable, and whatever may pass


def _repoint(app: firebase_admin.App, url: str) -> None:
    """
    Send to `url`.

    firebase-admin has no setting for it, so that a private attribute is set here; a
    test pins it.
    """
    messaging._get_messaging_service(app)._fcm_url = url

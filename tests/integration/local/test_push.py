"""The push sink and firebase-admin's own messaging client."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import firebase_admin.messaging
import pytest
from firebase_admin import exceptions

from tests.integration.local.gateways import PROJECT, Gateway, running_gateway

# It publishes no types, and strict mypy minds each of its constructors.
messaging: Any = firebase_admin.messaging
AWAY = "http://127.0.0.1:9"


@contextlib.asynccontextmanager
async def pointed_at(firebase: Any, gateway: Gateway) -> AsyncIterator[None]:
    """Let firebase-admin send to the gateway's sink."""
    service = messaging._get_messaging_service(firebase)
    service._fcm_url = f"{gateway.url}/local/fcm/v1/projects/{PROJECT}/messages:send"
    yield
    await service._async_client.aclose()  # delete_app leaves its connections open


async def received(gateway: Gateway) -> list[dict[str, Any]]:
    """Return what the sink shows."""
    async with gateway.session.get(f"{gateway.url}/local/push") as answer:
        messages: list[dict[str, Any]] = json.loads(await answer.read())["messages"]
        return messages


def a_message(device: str) -> Any:
    """Return a message as Parley sends them."""
    # `fid`, for firebase-admin deprecates `token`; FCM and the sink take both.
    return messaging.Message(
        fid=device,
        data={"space_id": "s1"},
        notification=messaging.Notification(title="Live", body="Ana is live"),
        android=messaging.AndroidConfig(
            priority="high",
            ttl=600,
            notification=messaging.AndroidNotification(tag="s1", channel_id="live"),
        ),
        apns=messaging.APNSConfig(
            headers={"apns-collapse-id": "s1", "apns-priority": "10"},
            payload=messaging.APNSPayload(aps=messaging.Aps(sound="default")),
        ),
        webpush=messaging.WebpushConfig(
            fcm_options=messaging.WebpushFCMOptions(link="https://parley.example/s/1")
        ),
    )


async def test_a_batch_is_answered_as_fcm_answers(
    firebase: Any, tmp_path: Path
) -> None:
    """
    Good tokens succeed; bad ones raise the errors that FCM's do, each its own.
    """
    tokens = ("device-1", "unregistered-1", "quota-1", "unavailable-1", "device-2")
    async with (
        running_gateway(tmp_path, AWAY) as gateway,
        pointed_at(firebase, gateway),
    ):
        batch = await messaging.send_each_async(
            [a_message(token) for token in tokens], app=firebase
        )
        kept = await received(gateway)

    errors = [type(response.exception) for response in batch.responses]
    assert errors == [
        type(None),
        messaging.UnregisteredError,
        messaging.QuotaExceededError,
        exceptions.UnavailableError,
        type(None),
    ]
    assert batch.responses[0].message_id.startswith(f"projects/{PROJECT}/messages/")
    assert {message["target"] for message in kept} == {"device-1", "device-2"}
    assert kept[0]["message"]["android"]["ttl"] == "600s"


async def test_what_fcm_refuses_raises_invalid_argument(
    firebase: Any, tmp_path: Path
) -> None:
    """
    A message that is too big fails here as it would there.
    """
    message = messaging.Message(fid="device-1", data={"x": "y" * 5000})
    async with (
        running_gateway(tmp_path, AWAY) as gateway,
        pointed_at(firebase, gateway),
    ):
        batch = await messaging.send_each_async([message], app=firebase)

    assert isinstance(batch.responses[0].exception, exceptions.InvalidArgumentError)


async def test_a_dry_run_delivers_nothing(firebase: Any, tmp_path: Path) -> None:
    """
    validate_only checks the message and keeps none.
    """
    async with (
        running_gateway(tmp_path, AWAY) as gateway,
        pointed_at(firebase, gateway),
    ):
        batch = await messaging.send_each_async(
            [a_message("device-1")], dry_run=True, app=firebase
        )
        kept = await received(gateway)

    assert batch.success_count == 1
    assert kept == []


@pytest.mark.parametrize(
    ("project", "body", "status", "code"),
    [
        (PROJECT, b"{", 400, "INVALID_ARGUMENT"),
        (PROJECT, b"[]", 400, "INVALID_ARGUMENT"),
        (PROJECT, b'{"message": {}}', 400, "INVALID_ARGUMENT"),
        (PROJECT, b'{"message": {"token": "t"}, "x": 1}', 400, "INVALID_ARGUMENT"),
        (PROJECT, b" " * 70_000, 400, "INVALID_ARGUMENT"),
        ("other", b'{"message": {"token": "t"}}', 403, "SENDER_ID_MISMATCH"),
    ],
    ids=lambda value: repr(value)[:24],
)
async def test_malformed_requests_have_fcms_error_form(
    tmp_path: Path, project: str, body: bytes, status: int, code: str
) -> None:
    """
    A status, a message, and details with FCM's own code.
    """
    async with running_gateway(tmp_path, AWAY) as gateway:
        url = f"{gateway.url}/local/fcm/v1/projects/{project}/messages:send"
        async with gateway.session.post(url, data=body) as answer:
            error = json.loads(await answer.read())["error"]

    assert (answer.status, error["code"]) == (status, status)
    assert error["details"][0]["errorCode"] == code


async def test_messages_survive_a_restart(firebase: Any, tmp_path: Path) -> None:
    """
    What a device received is still shown after the gateway came back.
    """
    async with (
        running_gateway(tmp_path, AWAY) as gateway,
        pointed_at(firebase, gateway),
    ):
        await messaging.send_each_async([a_message("device-1")], app=firebase)
    async with running_gateway(tmp_path, AWAY) as gateway:
        kept = await received(gateway)

    assert [message["target"] for message in kept] == ["device-1"]

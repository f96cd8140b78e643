"""What FCM takes and refuses."""

from typing import Any

import pytest

from infra.local.gateway.push_messages import InvalidMessage, Target, check_message


def a_message(**fields: Any) -> dict[str, Any]:
    """Return a full message of ours, changed."""
    return {
        "token": "device-1",
        "notification": {"title": "Ana is live", "body": "Join in"},
        "data": {"id": "1"},
        "android": {
            "priority": "high",
            "ttl": "600s",
            "collapse_key": "k",
            "notification": {"tag": "t", "channel_id": "live", "color": "#aabbcc"},
        },
        "apns": {
            "headers": {"apns-collapse-id": "x" * 64, "apns-priority": "10"},
            "payload": {"aps": {"alert": {"title": "x"}, "thread-id": "y"}},
        },
        "webpush": {"headers": {"TTL": "600"}, "fcm_options": {"link": "https://x/y"}},
        "fcm_options": {"analytics_label": "live"},
        **fields,
    }


def test_a_complete_message_is_taken() -> None:
    """
    Every field that we send is known, in both spellings.
    """
    assert check_message(a_message()) == Target("token", "device-1")
    camel = {"token": "d", "android": {"collapseKey": "k", "directBootOk": True}}
    assert check_message(camel) == Target("token", "d")


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"token": None}, "TYPE_STRING"),
        ({"token": "a b"}, "message.token"),
        ({"topic": "t"}, "exactly one"),
        ({"colour": "red"}, "Unknown name 'colour'"),
        ({"notification": {"titel": "x"}}, "Unknown name 'titel'"),
        ({"notification": []}, "expected an object"),
        ({"data": {"n": 1}}, r"data\[n\]"),
        ({"data": {"from": "x"}}, "Invalid data payload key: from"),
        ({"data": {"google.x": "x"}}, "Invalid data payload key"),
        ({"data": {"x": "y" * 4100}}, "too big"),
        ({"android": {"ttl": "ten"}}, "android.ttl"),
        ({"android": {"ttl": "2419201s"}}, "four weeks"),
        ({"android": {"priority": "urgent"}}, "android.priority"),
        ({"android": {"notification": {"color": "red"}}}, "color"),
        ({"android": {"notification": {"sticky": "yes"}}}, "TYPE_BOOL"),
        ({"apns": {"headers": {"apns-collapse-id": "x" * 65}}}, "64 bytes"),
        ({"apns": {"headers": {"apns-priority": "7"}}}, "apns-priority"),
        ({"apns": {"payload": {"aps": {"alert": "x" * 4100}}}}, "too big"),
    ],
)
def test_what_fcm_refuses_is_refused(fields: dict[str, Any], complaint: str) -> None:
    """
    The error names the field, as FCM's does.
    """
    with pytest.raises(InvalidMessage, match=complaint):
        check_message(a_message(**fields))


def test_a_message_without_target_is_refused() -> None:
    """
    Exactly one of token, topic or condition.
    """
    with pytest.raises(InvalidMessage, match="exactly one"):
        check_message({"notification": {"title": "x"}})
    with pytest.raises(InvalidMessage):
        check_message("text")

"""What FCM v1 accepts: the shape and the limits of one message."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

MAX_PAYLOAD_BYTES: Final = 4096
_MAX_TTL_S: Final = 28 * 24 * 3600
_MAX_COLLAPSE_ID_BYTES: Final = 64
DEVICE_KINDS: Final = ("token", "fid")  # one device: registration or installation
_TARGETS: Final = (*DEVICE_KINDS, "topic", "condition")
_TOPIC: Final = re.compile(r"[A-Za-z0-9\-_.~%]{1,900}")
_DURATION: Final = re.compile(r"\d+(\.\d{1,9})?s")
_COLOR: Final = re.compile(r"#[0-9A-Fa-f]{6}")

Check = Callable[[str, Any], None]


class InvalidMessage(ValueError):
    """FCM would answer INVALID_ARGUMENT; the text names the field."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a message is for: `kind` is token, topic, condition or fid."""

    kind: str
    value: str


def check_message(message: object) -> Target:
    """
    Check one message as FCM does, and say whom it is for.

    Raises:
        InvalidMessage: an unknown field, a wrong type or value, or too large.
    """
    _MESSAGE("message", message)
    if not isinstance(message, dict):
        raise InvalidMessage("message must be an object")
    targets = [name for name in _TARGETS if name in message]
    if len(targets) != 1:
        raise InvalidMessage("exactly one of token, topic or condition must be set")
    payload = {k: message[k] for k in ("data", "notification") if k in message}
    if len(json.dumps(payload, ensure_ascii=False).encode()) > MAX_PAYLOAD_BYTES:
        raise InvalidMessage("Android message is too big")
    return Target(targets[0], message[targets[0]])


def _text(where: str, value: Any) -> None:
    if not isinstance(value, str):
        raise InvalidMessage(f"Invalid value at '{where}' (TYPE_STRING)")


def _flag(where: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidMessage(f"Invalid value at '{where}' (TYPE_BOOL)")


def _number(where: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidMessage(f"Invalid value at '{where}' (TYPE_INT32)")


def _anything(where: str, value: Any) -> None:
    """Leave it to the browser or the phone."""


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(where: str, value: Any) -> None:
        _text(where, value)
        if not pattern.fullmatch(value):
            raise InvalidMessage(f"Invalid value at '{where}': {value!r}")

    return check


def _one_of(*allowed: str) -> Check:
    return _matching(re.compile("|".join(re.escape(word) for word in allowed)))


def _ttl(where: str, value: Any) -> None:
    _matching(_DURATION)(where, value)
    if float(value[:-1]) > _MAX_TTL_S:
        raise InvalidMessage(f"Invalid value at '{where}': at most four weeks")


def _list_of(check: Check) -> Check:
    def check_list(where: str, value: Any) -> None:
        if not isinstance(value, list):
            raise InvalidMessage(f"Invalid value at '{where}' (expected an array)")
        for index, item in enumerate(value):
            check(f"{where}[{index}]", item)

    return check_list


def _text_map(where: str, value: Any) -> None:
    if not isinstance(value, dict):
        raise InvalidMessage(f"Invalid value at '{where}' (expected an object)")
    for name, item in value.items():
        _text(f"{where}[{name}]", item)


def _data(where: str, value: Any) -> None:
    _text_map(where, value)
    for name in value:
        if name in ("from", "message_type", "collapse_key") or name.startswith(
            ("google.", "gcm.")
        ):
            raise InvalidMessage(f"Invalid data payload key: {name}")


def _apns_headers(where: str, value: Any) -> None:
    _text_map(where, value)
    headers = {name.lower(): item for name, item in value.items()}
    if len(headers.get("apns-collapse-id", "").encode()) > _MAX_COLLAPSE_ID_BYTES:
        raise InvalidMessage("apns-collapse-id is longer than 64 bytes")
    if headers.get("apns-priority", "10") not in ("1", "5", "10"):
        raise InvalidMessage("apns-priority must be 1, 5 or 10")


def _apns_payload(where: str, value: Any) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("aps", {}), dict):
        raise InvalidMessage(f"Invalid value at '{where}' (expected an object)")
    if len(json.dumps(value, ensure_ascii=False).encode()) > MAX_PAYLOAD_BYTES:
        raise InvalidMessage("APNs payload is too big")


def _fields(checks: Mapping[str, Check]) -> Check:
    # FCM takes both spellings of a field: `restricted_package_name` and camelCase.
    known = dict(checks) | {_camel(name): check for name, check in checks.items()}

    def check(where: str, value: Any) -> None:
        if not isinstance(value, dict):
            raise InvalidMessage(f"Invalid value at '{where}' (expected an object)")
        for name, item in value.items():
            if name not in known:
                raise InvalidMessage(
                    f"Invalid JSON payload received. Unknown name {name!r} at"
                    f" '{where}': Cannot find field."
                )
            known[name](f"{where}.{name}", item)

    return check


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


_LABEL: Final = _fields({"analytics_label": _matching(re.compile(r"[\w.\-~%]{1,50}"))})
_TEXTS: Final = _list_of(_text)
_ANDROID_NOTIFICATION: Final = _fields(
    {
        **dict.fromkeys(
            ("title", "body", "icon", "sound", "tag", "click_action", "image"), _text
        ),
        **dict.fromkeys(
            ("body_loc_key", "title_loc_key", "channel_id", "ticker", "event_time"),
            _text,
        ),
        **dict.fromkeys(("body_loc_args", "title_loc_args"), _TEXTS),
        **dict.fromkeys(
            (
                "sticky",
                "local_only",
                "default_sound",
                "default_vibrate_timings",
                "default_light_settings",
            ),
            _flag,
        ),
        "color": _matching(_COLOR),
        "notification_priority": _one_of(
            "PRIORITY_UNSPECIFIED",
            "PRIORITY_MIN",
            "PRIORITY_LOW",
            "PRIORITY_DEFAULT",
            "PRIORITY_HIGH",
            "PRIORITY_MAX",
        ),
        "visibility": _one_of("VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"),
        "proxy": _one_of("PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"),
        "vibrate_timings": _list_of(_matching(_DURATION)),
        "notification_count": _number,
        "light_settings": _anything,
    }
)
_ANDROID: Final = _fields(
    {
        "collapse_key": _text,
        "priority": _one_of("normal", "high", "NORMAL", "HIGH"),
        "ttl": _ttl,
        "restricted_package_name": _text,
        "data": _data,
        "notification": _ANDROID_NOTIFICATION,
        "fcm_options": _LABEL,
        "direct_boot_ok": _flag,
        "bandwidth_constrained_ok": _flag,
        "restricted_satellite_ok": _flag,
    }
)
_APNS: Final = _fields(
    {
        "headers": _apns_headers,
        "payload": _apns_payload,
        "fcm_options": _fields({"analytics_label": _text, "image": _text}),
        "live_activity_token": _text,
    }
)
_WEBPUSH: Final = _fields(
    {
        "headers": _text_map,
        "data": _text_map,
        "notification": _anything,
        "fcm_options": _fields({"link": _text, "analytics_label": _text}),
    }
)
_MESSAGE: Final = _fields(
    MappingProxyType(
        {
            "name": _text,
            "token": _matching(re.compile(r"\S{1,4096}")),
            "fid": _matching(re.compile(r"\S{1,256}")),
            "topic": _matching(_TOPIC),
            "condition": _matching(re.compile(r".{1,1000}")),
            "data": _data,
            "notification": _fields({"title": _text, "body": _text, "image": _text}),
            "android": _ANDROID,
            "apns": _APNS,
            "webpush": _WEBPUSH,
            "fcm_options": _LABEL,
        }
    )
)

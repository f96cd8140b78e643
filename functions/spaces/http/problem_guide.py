"""What to do about each problem: the words of `/docs`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Codes that need more than their status says.
ADVICE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "malformed-json": "The body is no JSON. Mend the client.",
        "invalid-field": "`errors` points at each wrong field. Correct it; show it.",
        "unknown-field": "`errors` points at fields that do not exist. Leave them out.",
        "invalid-page-token": "Start over without page_token; tokens suit one list.",
        "invalid-header": "`detail` says which header, and what it must look like.",
        "unsupported-media-type": "Send the Content-Type that `detail` names.",
        "body-too-large": "Send at most 64 KiB.",
        "rate-limited": "Wait as long as Retry-After says, then go on more slowly.",
        "id-token-missing": "Sign in, and send Authorization: Bearer <ID token>.",
        "invalid-id-token": "Sign in again: this token was never good here.",
        "id-token-expired": "Let the sign-in library refresh the token; repeat.",
        "app-check-required": "Have Firebase App Check make a token; repeat with it.",
        "grant-missing": "Send the grant of join: Authorization: Bearer <grant>.",
        "invalid-grant": "Join again; use the grant as it was answered.",
        "grant-expired": "Join again; a grant is good for two minutes.",
        "grant-for-other-space": "Join the Space that you want to hear.",
        "grant-forbids": "A listener cannot talk: ask to speak, then join again.",
        "listen-token-missing": "Load the hls_url that join or listen-token answered.",
        "invalid-listen-token": "Get one: POST …/listen-token; load its hls_url.",
        "listen-token-expired": "POST …/listen-token; its cookie renews the player.",
        "hls-starting": "Repeat after Retry-After; it takes a second or two.",
        "hls-unavailable": "Listen by WebRTC, or try again in a minute.",
        "hls-key-not-found": "Load hls_url anew: the playlist names newer keys.",
        "stale-grant": "The Space has another worker: join again, open new sessions.",
        "worker-starting": "Repeat after retry_after_ms, doubling it each time, or "
        "after Retry-After; it takes a second or two.",
        "worker-unreachable": "Join again; a lost worker is replaced within 20 s.",
        "profile-not-found": "Let the person choose a handle: PUT /v1/me.",
        "profile-required": "Let the person choose a handle: PUT /v1/me.",
        "handle-taken": "Ask for another handle.",
        "protected-account": "Offer to make the account public; or to listen.",
        "update-required": "Send the person to the app store; `minimum` may say more.",
        "blocked": "Say that this Space is closed to them. Do not try again.",
        "removed": "Say that a host removed them. Only a host lets them back.",
        "cannot-unmute-another": "Show them that they are muted; they unmute.",
        "illegal-transition": "Read the Space again: `state` says where it stands.",
        "not-live": "`state` says why: wait for it, or show that it is over.",
        "stage-full": "Say so; ask again when somebody steps down.",
        "too-many-live": "It stays scheduled: let them end another, then start it.",
        "list-full": "`limit` says how many there may be: remove one first.",
        "speak-request-closed": "Somebody was quicker; `state` says what became of it.",
        "invite-closed": "Too late; `state` says what became of it.",
        "schedule-out-of-range": "Choose a time from 5 minutes to 365 days ahead.",
        "idempotency-key-reused": "Use a new key for each new request.",
        "stale-revision": "Read it again, show what changed, edit anew.",
        "contended": "Repeat after Retry-After, with the same Idempotency-Key.",
        "dependency-unavailable": "Repeat after Retry-After; after a while, say so.",
        "not-configured": "The operator sets what `detail` names, or has no such app.",
        "cannot-invite": "Leave somebody off the list; which one is not told.",
    }
)
BY_STATUS: Final[Mapping[int, str]] = MappingProxyType(
    {
        400: "The request cannot be understood. Mend the client.",
        401: "Say who you are, by a token that is good now.",
        403: "It is not theirs to do. Show why; do not repeat.",
        404: "It is not there, or not any more. Show that; do not repeat.",
        405: "`Allow` names the methods that there are.",
        409: "Right request, wrong moment. Read again what it is about, then decide.",
        412: "It has changed meanwhile. Read it again.",
        413: "Send less.",
        415: "Send the Content-Type that `detail` names.",
        422: "It is well formed and cannot be accepted. `detail` says why.",
        429: "Wait as long as Retry-After says.",
        500: "A fault of ours. Repeat once; then report X-Request-Id.",
        503: "Repeat after Retry-After.",
    }
)


def advice(code: str, status: int) -> str:
    """Return what whoever meets this problem should do."""
    return ADVICE.get(code) or BY_STATUS[status]

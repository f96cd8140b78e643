"""Calls to the workers' private control addresses."""

import logging
from typing import Final

import requests

from spaces_contract.control import SESSION_ID_HEADER, ControlError
from spaces_contract.hls import KEY_BYTES
from spaces_contract.ids import SESSION_ID_PATTERN, SessionId
from spaces_contract.media import SDP_CONTENT_TYPE
from spaces_contract.trace_context import carried
from spaces_tracing.spans import Fact, SpanKind, span

from ..service.errors import WorkerRefused, WorkerUnreachable
from ..service.ports import OpenedSession

CONNECT_TIMEOUT_S: Final = 1.0
READ_TIMEOUT_S: Final = 5.0
MAX_DETAIL_CHARS: Final = 300

logger = logging.getLogger(__name__)


class HttpWorkerControl:
    """`WorkerControl` over HTTP; see `spaces_contract.control`."""

    def open_session(
        self, control_url: str, *, forward: str, offer_sdp: bytes
    ) -> OpenedSession:
        """POST the offer; see `WorkerControl`."""
        answer = _request("POST", f"{control_url}/sessions", forward, offer_sdp)
        session_id = answer.headers.get(SESSION_ID_HEADER, "")
        if answer.status_code != 201 or not SESSION_ID_PATTERN.fullmatch(session_id):
            raise _refusal(answer)
        return OpenedSession(SessionId(session_id), answer.text)

    def close_session(
        self, control_url: str, *, forward: str, session_id: SessionId
    ) -> None:
        """DELETE the session; see `WorkerControl`."""
        url = f"{control_url}/sessions/{session_id}"
        answer = _request("DELETE", url, forward, b"")
        if answer.status_code != 204:
            raise _refusal(answer)

    def send_reactions(self, control_url: str, *, forward: str, body: bytes) -> None:
        """POST the batch; see `WorkerControl`."""
        url = f"{control_url}/reactions"
        answer = _request("POST", url, forward, body, "application/json")
        if answer.status_code != 204:
            raise _refusal(answer)

    def announce_listener(self, control_url: str, *, forward: str) -> None:
        """POST without a body; see `WorkerControl`."""
        answer = _request("POST", f"{control_url}/hls/listeners", forward, b"")
        if answer.status_code != 204:
            raise _refusal(answer)

    def fetch_key(self, control_url: str, *, forward: str, number: int) -> bytes:
        """GET the key; see `WorkerControl`."""
        answer = _request("GET", f"{control_url}/hls/keys/{number}", forward, b"")
        if answer.status_code != 200 or len(answer.content) != KEY_BYTES:
            raise _refusal(answer)
        return answer.content


def _request(
    method: str,
    url: str,
    forward: str,
    body: bytes,
    content_type: str = SDP_CONTENT_TYPE,
) -> requests.Response:
    headers = {"Authorization": f"Bearer {forward}", "Content-Type": content_type}
    facts = {Fact.METHOD: method}
    with (
        span("forward to worker", SpanKind.CLIENT, facts) as traced,
        requests.Session() as session,
    ):
        # Private addresses never go through a proxy that the environment names.
        session.trust_env = False
        try:
            answer = session.request(
                method,
                url,
                data=body,
                headers=headers | carried(),
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise WorkerUnreachable from error
        traced.tell({Fact.STATUS: answer.status_code})
    answer.encoding = "utf-8"
    return answer


def _refusal(answer: requests.Response) -> Exception:
    try:
        body = answer.json()
        code = ControlError(body["code"])
        detail = str(body["detail"])[:MAX_DETAIL_CHARS]
    except (ValueError, KeyError, TypeError):
        logger.error("worker answered nonsense", extra={"status": answer.status_code})
        return WorkerUnreachable()
    return WorkerRefused(code, detail)

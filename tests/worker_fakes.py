"""Doubles of the other ends of calls that functions make: workers, webhooks, pages."""

from collections.abc import Mapping

from spaces.service.ports import OpenedSession
from spaces.service.web_shell import Shell
from spaces_contract.hls import KEY_BYTES
from spaces_contract.ids import SessionId, SpaceId
from spaces_contract.paths import live_edge
from spaces_contract.reactions import Reaction, from_body


class FakeWorkerControl:
    """`WorkerControl` that answers any offer, or raises `error`."""

    def __init__(self) -> None:
        self.forwards: list[str] = []
        self.closed: list[SessionId] = []
        self.reactions: list[list[Reaction]] = []
        self.error: Exception | None = None
        self.errors_at: dict[str, Exception] = {}  # by control URL
        self.called: list[str] = []  # control URLs

    def open_session(
        self, control_url: str, *, forward: str, offer_sdp: bytes
    ) -> OpenedSession:
        self.called.append(control_url)
        if control_url in self.errors_at:
            raise self.errors_at[control_url]
        self._note(forward)
        return OpenedSession(SessionId("session-0123456789"), "v=0\r\n")

    def close_session(
        self, control_url: str, *, forward: str, session_id: SessionId
    ) -> None:
        self.called.append(control_url)
        self._note(forward)
        self.closed.append(session_id)

    def send_reactions(self, control_url: str, *, forward: str, body: bytes) -> None:
        self._note(forward)
        self.reactions.append(from_body(body))

    def announce_listener(self, control_url: str, *, forward: str) -> None:
        self._note(forward)

    def fetch_key(self, control_url: str, *, forward: str, number: int) -> bytes:
        self._note(forward)
        return number.to_bytes(KEY_BYTES)

    def _note(self, forward: str) -> None:
        if self.error is not None:
            raise self.error
        self.forwards.append(forward)


class FakeWebhookReceiver:
    """`WebhookSender` to a receiver that keeps what it is sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes, Mapping[str, str]]] = []
        self.status = 200

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.got.append((url, body, headers))
        return self.status


class FakeWebShell:
    """`WebShell` with a small page, or `error`."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def read(self) -> Shell:
        if self.error is not None:
            raise self.error
        page = "<html><head><title>Parley</title></head><body></body></html>"
        return Shell(page, {"Content-Security-Policy": "default-src 'none'"})


class MemoryLiveEdge:
    """`LiveEdgeObjects` in memory: names below `live/`."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def erase(self, space_id: SpaceId) -> int:
        found = {name for name in self.names if name.startswith(live_edge(space_id))}
        self.names -= found
        return len(found)

    def space_ids(self) -> list[SpaceId]:
        return sorted({SpaceId(name.split("/")[1]) for name in self.names})

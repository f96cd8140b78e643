"""firestore.rules on Google's emulator, the only one that evaluates them."""

import base64
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import requests

from tests.conformance.firestore.servers import (
    JAR_VARIABLE,
    emulator_jar,
    running_emulator,
)

JAR: Final = emulator_jar()
RULES: Final = Path(__file__).parents[3] / "infra" / "firestore.rules"
PROJECT: Final = "demo-rules"
TIMEOUT_S: Final = 60.0
A_FIELD: Final = {"fields": {"uid": {"stringValue": "ana"}}}
ADMIN: Final = "owner"  # what the emulator lets past the rules

pytestmark = pytest.mark.skipif(
    JAR is None, reason=f"Google's emulator jar was not found (set {JAR_VARIABLE})"
)

# Who may get a document, by its path; nobody else, and nobody writes.
EVERYONE: Final = frozenset({"nobody", "ana", "bo"})
ANA: Final = frozenset({"ana"})
NOBODY: Final[frozenset[str]] = frozenset()
DOCUMENTS: Final = {
    "spaces/s1": EVERYONE,
    "spaces/s1/participants/ana": ANA,
    "spaces/s1/runtime/worker": NOBODY,
    "spaces/s1/runtime/recording": NOBODY,
    "spaces/s1/invites/ana": NOBODY,
    "spaces/s1/subscribers/ana": NOBODY,
    "users/ana": ANA,
    "users/ana/blocks/bo": ANA,
    "users/ana/following/bo": ANA,
    "users/ana/devices/phone": NOBODY,
    "users/ana/hosting/scheduled": NOBODY,
    "users/ana/lists/following": NOBODY,
    "handles/ana": NOBODY,
    "suspensions/ana": NOBODY,
    "reports/r1": NOBODY,
    "outbox/o1": NOBODY,
    "idempotency/i1": NOBODY,
    "recordings/r1": NOBODY,
    "recordings/r1/consents/ana": NOBODY,
    "anything/else": NOBODY,
}
# Who may list a collection, a page at a time.
COLLECTIONS: Final = {
    "spaces": EVERYONE,
    "spaces/s1/participants": NOBODY,
    "users": NOBODY,
    "users/ana/blocks": ANA,
    "users/ana/following": ANA,
    "users/ana/devices": NOBODY,
    "recordings/r1/consents": NOBODY,
    "reports": NOBODY,
}
WRITES: Final = ("create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Emulator:
    """The emulator's REST API."""

    root: str

    def get(self, who: str, path: str) -> int:
        """Return the status of reading a document."""
        return self._send("GET", f"{self.root}/{path}", who).status_code

    def query(self, who: str, path: str, **query: Any) -> int:
        """Return the status of a query on a collection."""
        parent, _, collection = path.rpartition("/")
        below = f"{self.root}/{parent}" if parent else self.root
        body = {"structuredQuery": {"from": [{"collectionId": collection}], **query}}
        return self._send("POST", f"{below}:runQuery", who, body).status_code

    def write(self, who: str, verb: str, path: str) -> int:
        """Return the status of a write: a new document, or of one that is there."""
        match verb:
            case "create":
                return self._send(
                    "PATCH", f"{self.root}/{path}-new", who, A_FIELD
                ).status_code
            case "update":
                return self._send(
                    "PATCH", f"{self.root}/{path}", who, A_FIELD
                ).status_code
            case _:
                return self._send("DELETE", f"{self.root}/{path}", who).status_code

    def _send(
        self, method: str, url: str, who: str, body: Any = None
    ) -> requests.Response:
        headers = {"Authorization": f"Bearer {_token(who)}"}
        return requests.request(
            method,
            url,
            json=body,
            headers={} if who == "nobody" else headers,
            timeout=TIMEOUT_S,
        )


def _token(who: str) -> str:
    """Return an unsigned token, which no one but the emulator believes."""
    if who == ADMIN:
        return ADMIN
    header = {"alg": "none", "typ": "JWT"}
    claims = {"sub": who, "user_id": who, "aud": PROJECT}
    parts = (json.dumps(part).encode() for part in (header, claims))
    return (
        ".".join(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts) + "."
    )


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """The emulator with our rules, and one document on each path."""
    assert JAR is not None
    with running_emulator(JAR, f"--rules={RULES}") as running:
        database = f"v1/projects/{PROJECT}/databases/(default)/documents"
        made = Emulator(f"http://{running.address}/{database}")
        for path in DOCUMENTS:
            assert made.write(ADMIN, "update", path) == 200
        yield made


@pytest.mark.parametrize("path", DOCUMENTS)
def test_documents_are_read_by_whose_they_are(emulator: Emulator, path: str) -> None:
    """
    Public ones by everybody, people's own by themselves, the rest by nobody.
    """
    readers = {who for who in EVERYONE if emulator.get(who, path) == 200}

    assert readers == DOCUMENTS[path]


@pytest.mark.parametrize("path", COLLECTIONS)
def test_collections_are_read_by_the_page(emulator: Emulator, path: str) -> None:
    """
    Whoever may list gets a page, and never all at once.
    """
    listers = {who for who in EVERYONE if emulator.query(who, path, limit=100) == 200}

    assert listers == COLLECTIONS[path]
    for who in EVERYONE:
        assert emulator.query(who, path) == 403
        assert emulator.query(who, path, limit=101) == 403


def test_nobody_searches_all_peoples_own(emulator: Emulator) -> None:
    """
    Collection groups are the functions' alone.
    """
    for who, group in itertools.product(
        EVERYONE, ("participants", "invites", "blocks")
    ):
        found = [{"collectionId": group, "allDescendants": True}]
        assert emulator.query(who, group, **{"from": found}, limit=1) == 403


@pytest.mark.parametrize("path", DOCUMENTS)
def test_nobody_writes(emulator: Emulator, path: str) -> None:
    """
    Neither strangers nor owners create, change or delete anything.
    """
    answers = {
        emulator.write(who, verb, path)
        for who, verb in itertools.product(EVERYONE, WRITES)
    }

    assert answers == {403}

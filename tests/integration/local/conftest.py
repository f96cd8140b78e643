"""Fixtures for the real firebase-admin against the embedded cloud."""

import uuid
from collections.abc import Iterator
from typing import Any

import firebase_admin
import google.auth.credentials
import pytest

from tests.integration.local.gateways import PROJECT

# They publish no types, and strict mypy minds each of their calls.
admin: Any = firebase_admin
credentials: Any = google.auth.credentials


@pytest.fixture
def firebase() -> Iterator[Any]:
    """A firebase-admin app without credentials."""
    app = admin.initialize_app(
        credentials.AnonymousCredentials(),
        {"projectId": PROJECT},
        name=uuid.uuid4().hex,
    )
    yield app
    admin.delete_app(app)

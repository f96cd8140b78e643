"""A channel to Firestore that comes back soon after an outage."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import grpc.aio
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
from google.cloud.firestore_v1.services.firestore.transports import (
    FirestoreGrpcAsyncIOTransport,
)

# gRPC's default lets a channel wait up to 120 s before it dials again.
CHANNEL_OPTIONS: Final = (
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1_000),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
)


@dataclass(frozen=True, slots=True)
class Firestore:
    """
    One database and the way to it.  Open until `aclose`.

    Args:
        database: "projects/…/databases/(default)".
        metadata: What every call must carry.
    """

    client: FirestoreAsyncClient
    database: str
    metadata: Sequence[tuple[str, str]]
    _channel: grpc.aio.Channel = field(repr=False)

    @property
    def documents(self) -> str:
        """Parent of all top-level collections."""
        return f"{self.database}/documents"

    def name(self, path: str) -> str:
        """Return the full name of the document at `path`."""
        return f"{self.documents}/{path}"

    async def aclose(self) -> None:
        """Close the channel and all calls on it; may be called again."""
        await self._channel.close(grace=None)


def connect(project_id: str, *, emulator_host: str | None) -> Firestore:
    """
    Return a connection; it dials with the first call.

    Args:
        emulator_host: "host:port" of an embedded server; None is Google's own, with
            the credentials of the environment.
    """
    database = f"projects/{project_id}/databases/(default)"
    metadata = [("google-cloud-resource-prefix", database)]
    if emulator_host is None:
        channel = FirestoreGrpcAsyncIOTransport.create_channel(options=CHANNEL_OPTIONS)
    else:
        channel = grpc.aio.insecure_channel(emulator_host, options=CHANNEL_OPTIONS)
        metadata.append(("authorization", "Bearer owner"))  # what emulators want
    client = FirestoreAsyncClient(
        transport=FirestoreGrpcAsyncIOTransport(channel=channel)
    )
    return Firestore(client, database, tuple(metadata), channel)

"""
A warm worker of an Agones fleet: started before it knows its Space.

It loads everything, tells the sidecar that it is ready, and waits to be allocated; the
labels of its GameServer then name the workload (functions' AgonesLauncher sets them).
Source: Agones' client SDK over REST, https://agones.dev/site/docs/guides/client-sdks/rest/
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import h11

from spaces_contract.trace_context import ANNOTATION, VARIABLE

PORT_VARIABLE: Final = "AGONES_SDK_HTTP_PORT"
UDP_BINDS: Final = "PARLEY_UDP_BINDS"  # JSON: {name of a GameServer's port: host:port}
KIND_LABEL: Final = "parley.dev/kind"
KEY_LABEL: Final = "parley.dev/key"
EPOCH_LABEL: Final = "parley.dev/epoch"
INDEX_LABEL: Final = "parley.dev/index"
HEALTH_S: Final = 5.0  # three missed ones are Unhealthy
IDLE_TIMEOUT_S: Final = 30.0  # then a watch is opened anew
READ_BYTES: Final = 65_536
PATIENCE_S: Final = 60.0  # the sidecar may start after us
RETRY_S: Final = 0.2

logger = logging.getLogger(__name__)


class SidecarLost(Exception):
    """The sidecar does not answer; Agones will replace us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """
    What this worker was allocated to.

    Args:
        kind: "room", "relay", "render" or "clip".
        key: Id of the Space, or of the recording.
        epoch: Of the Space, or the recording's version, or the clip's number.
        index: Which of the Space's relays.
        address: The node's, which clients reach.
        ports: The node's ports by name.
        traceparent: Of the call that allocated it; empty where it carried none.
    """

    kind: str
    key: str
    epoch: int
    index: int
    address: str
    ports: Mapping[str, int]
    traceparent: str = ""

    @classmethod
    def of(cls, game_server: Mapping[str, Any]) -> "Allocation | None":
        """Read a GameServer as the sidecar gives it; None while it is warm."""
        metadata = game_server.get("object_meta", {})
        labels = metadata.get("labels") or {}
        status = game_server.get("status", {})
        if status.get("state") != "Allocated" or KEY_LABEL not in labels:
            return None
        return cls(
            kind=labels[KIND_LABEL],
            key=labels[KEY_LABEL],
            epoch=int(labels[EPOCH_LABEL]),
            index=int(labels[INDEX_LABEL]),
            traceparent=(metadata.get("annotations") or {}).get(ANNOTATION, ""),
            address=status["address"],
            ports={port["name"]: int(port["port"]) for port in status["ports"]},
        )

    def room_environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """
        Return `env` with what a room's worker, or a relay, must know beside it.

        Raises:
            KeyError, ValueError: `UDP_BINDS` does not say where this GameServer's ports
                are bound.
        """
        binds: dict[str, str] = json.loads(env[UDP_BINDS])
        host = f"[{self.address}]" if ":" in self.address else self.address
        endpoints = [
            {"bind": bind, "announced": f"{host}:{self.ports[name]}"}
            for name, bind in binds.items()
        ]
        return {
            **env,
            "PARLEY_WORKLOAD": self.kind,
            "PARLEY_RELAY_INDEX": str(self.index),
            "PARLEY_SPACE_ID": self.key,
            "PARLEY_EPOCH": str(self.epoch),
            "PARLEY_UDP_ENDPOINTS": json.dumps(endpoints),
            VARIABLE: self.traceparent,
        }


class Sidecar:
    """Agones' sidecar of this pod; every call raises `SidecarLost`."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def ready(self) -> None:
        """Say that we can be allocated; waits for a sidecar that starts late."""
        deadline_s = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                return await self._post("/ready")
            except SidecarLost:
                if asyncio.get_running_loop().time() > deadline_s:
                    raise
            await asyncio.sleep(RETRY_S)

    async def shutdown(self) -> None:
        """Give our place back; the pod is deleted."""
        await self._post("/shutdown")

    @contextlib.asynccontextmanager
    async def kept_healthy(self) -> AsyncIterator[None]:
        """Say that the loop runs, for the length of a block."""
        health = asyncio.create_task(self._keep_healthy(), name="health")
        try:
            yield
        finally:
            health.cancel()
            await asyncio.wait([health])

    async def allocation(self) -> Allocation:
        """Wait until we are allocated, however long that is."""
        while True:
            with contextlib.suppress(SidecarLost):
                # The present state comes first, then each change: a line of JSON each.
                async for line in self._lines("GET", "/watch/gameserver"):
                    found = Allocation.of(_game_server(line))
                    if found is not None:
                        return found
            await asyncio.sleep(RETRY_S)

    async def _keep_healthy(self) -> None:
        while True:
            try:
                await self._post("/health")
            except SidecarLost as error:
                logger.warning("sidecar lost", extra={"error": str(error)})
            await asyncio.sleep(HEALTH_S)

    async def _post(self, path: str) -> None:
        async for _ in self._lines("POST", path):
            pass

    async def _lines(self, method: str, path: str) -> AsyncIterator[bytes]:
        """Send `{}`; yield the answer's lines while they come."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError as error:
            raise SidecarLost(str(error)) from error
        connection = h11.Connection(h11.CLIENT)
        try:
            for part in _request(method, path, self._port):
                writer.write(connection.send(part) or b"")
            buffer = b""
            async for data in _body(connection, reader):
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    yield line
            if buffer:
                yield buffer
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            raise SidecarLost(str(error)) from error
        finally:
            writer.close()


def _request(method: str, path: str, port: int) -> Iterator[h11.Event]:
    body = b"{}" if method == "POST" else b""
    headers = [
        ("Host", f"127.0.0.1:{port}"),
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    yield h11.Request(method=method, target=path, headers=headers)
    yield h11.Data(data=body)
    yield h11.EndOfMessage()


async def _body(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> AsyncIterator[bytes]:
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                async with asyncio.timeout(IDLE_TIMEOUT_S):
                    connection.receive_data(await reader.read(READ_BYTES))
            case h11.Response(status_code=status) if status != 200:
                raise SidecarLost(f"the sidecar answered {status}")
            case h11.Data(data=data):
                yield bytes(data)
            case h11.EndOfMessage() | h11.ConnectionClosed():
                return


def _game_server(line: bytes) -> Mapping[str, Any]:
    try:
        server: Mapping[str, Any] = json.loads(line)["result"]
        return server
    except (ValueError, KeyError, TypeError) as error:
        raise SidecarLost("the sidecar does not speak of a GameServer") from error

"""The origin worker's control API, as its relay calls it."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import h11

from spaces_contract.control import ControlError
from spaces_contract.media import SDP_CONTENT_TYPE
from spaces_contract.relays import RelayReport

PATIENCE_S: Final = 3.0
READ_BYTES: Final = 65_536
MAX_ANSWER_BYTES: Final = 64 * 1024
_JSON: Final = "application/json"
# What no repetition changes: another epoch runs the Space, or the token is no good.
_FOR_GOOD: Final = frozenset({ControlError.STALE_EPOCH, ControlError.INVALID_FORWARD})


class OriginUnreachable(Exception):
    """It does not answer, or does not want us just now."""


class FeedForbidden(Exception):
    """It never will: we are of another epoch, or our token has expired."""


class FeedForgotten(Exception):
    """It knows no feed of ours any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """
    Where one relay gets its feed.

    Args:
        url: Of the origin's control API.
        forward: What functions signed for this relay.
        index: The relay's.
    """

    url: str
    forward: str
    index: int

    async def open_feed(self, offer_sdp: str) -> str:
        """
        Return the answer to an offer.

        Raises:
            OriginUnreachable, FeedForbidden.
        """
        body = offer_sdp.encode()
        return (await self._call("POST", body, SDP_CONTENT_TYPE, 201)).decode()

    async def report(self, report: RelayReport) -> None:
        """
        Tell how many hear the relay.

        Raises:
            OriginUnreachable, FeedForbidden.
            FeedForgotten: the feed has to be opened anew.
        """
        await self._call("PUT", report.to_json(), _JSON, 204)

    async def _call(self, method: str, body: bytes, kind: str, wanted: int) -> bytes:
        try:
            async with asyncio.timeout(PATIENCE_S):
                status, answer = await self._exchange(method, body, kind)
        except (OSError, TimeoutError, h11.ProtocolError) as error:
            raise OriginUnreachable(type(error).__name__) from error
        if status == wanted:
            return answer
        code = _code(answer)
        if code in _FOR_GOOD:
            raise FeedForbidden(code)
        if code == ControlError.SESSION_NOT_FOUND:
            raise FeedForgotten(code)
        raise OriginUnreachable(f"it answered {status} {code}")

    async def _exchange(self, method: str, body: bytes, kind: str) -> tuple[int, bytes]:
        target = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        connection = h11.Connection(h11.CLIENT)
        try:
            for event in self._request(target.netloc, method, body, kind):
                writer.write(connection.send(event) or b"")
            return await _answer(connection, reader)
        finally:
            writer.close()

    def _request(
        self, host: str, method: str, body: bytes, kind: str
    ) -> Iterator[h11.Event]:
        headers = [
            ("Host", host),
            ("Authorization", f"Bearer {self.forward}"),
            ("Content-Type", kind),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        path = f"/feeds/{self.index}"
        yield h11.Request(method=method, target=path, headers=headers)
        yield h11.Data(data=body)
        yield h11.EndOfMessage()


async def _answer(
    connection: h11.Connection, reader: asyncio.StreamReader
) -> tuple[int, bytes]:
    """Return the status and the body."""
    status, body = 0, bytearray()
    while True:
        match connection.next_event():
            case h11.NEED_DATA:
                connection.receive_data(await reader.read(READ_BYTES))
            case h11.Response() as response:
                status = response.status_code
            case h11.Data(data=data):
                body += data
                if len(body) > MAX_ANSWER_BYTES:
                    raise OriginUnreachable("its answer has no end")
            case h11.EndOfMessage():
                return status, bytes(body)
            case h11.ConnectionClosed():
                raise OriginUnreachable("it said nothing")


def _code(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["code"])
    except (ValueError, KeyError, TypeError):
        return "without a reason"

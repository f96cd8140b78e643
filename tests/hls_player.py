"""A player of HLS that polls, as players do, and keeps the sound with its time."""

import asyncio
import io
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import av
import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES128
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tests.audio import Samples
from tests.hls_rules import Listed, Playlist, check_update, read

POLL_S: Final = 0.25


@dataclass(slots=True)
class Heard:
    """One segment as it was heard."""

    listed: Listed
    sound: Samples
    at_s: float  # Unix time at which it could have been played


def decrypted(body: bytes, key: bytes, initial_vector: bytes) -> bytes:
    """Return a segment's plain bytes."""
    cipher = Cipher(AES128(key), CBC(initial_vector)).decryptor()
    plain = cipher.update(body) + cipher.finalize()
    padding = plain[-1]
    assert plain[-padding:] == bytes([padding]) * padding
    return plain[:-padding]


def decoded(transport_stream: bytes) -> Samples:
    """Return what FFmpeg hears in a transport stream."""
    with av.open(io.BytesIO(transport_stream), "r", format="mpegts") as container:
        blocks = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    sound = np.concatenate(blocks) * 32_767
    return sound.clip(-32_768, 32_767).astype(np.int16)


@dataclass(slots=True)
class HlsPlayer:
    """
    Follows one playlist, holding every version of it to the rules.

    Args:
        fetch: Returns an object by its name below the playlist's folder, or None.
        fetch_key: Returns a key by its epoch and number.
    """

    fetch: Callable[[str], bytes | None]
    fetch_key: Callable[[int, int], Awaitable[bytes]]
    heard: list[Heard] = field(default_factory=list)
    playlist: Playlist | None = None
    missing: int = 0
    _plain: list[bytes] = field(default_factory=list)
    _keys: dict[str, bytes] = field(default_factory=dict)

    async def follow(self, *, until: Callable[[], bool]) -> None:
        """Poll until it holds; the caller bounds the time."""
        while not until():
            text = self.fetch("audio.m3u8")
            if text is not None:
                await self._take(read(text.decode()))
            await asyncio.sleep(POLL_S)

    @property
    def keys(self) -> list[bytes]:
        """All keys that it was told."""
        return list(self._keys.values())

    @property
    def sound(self) -> Samples:
        """All that was heard, decoded as one stream."""
        return decoded(b"".join(self._plain))

    async def _take(self, playlist: Playlist) -> None:
        if self.playlist is not None and playlist != self.playlist:
            check_update(self.playlist, playlist)
        self.playlist = playlist
        last = self.heard[-1].listed.number if self.heard else -1
        for listed in playlist.segments:
            if listed.number > last:
                await self._hear(listed)

    async def _hear(self, listed: Listed) -> None:
        body = self.fetch(listed.uri)
        if body is None:
            self.missing += 1
            return
        if listed.key_uri not in self._keys:
            epoch, number = listed.key_uri.partition("?")[0].split("/")[-2:]
            key = await self.fetch_key(int(epoch), int(number))
            self._keys[listed.key_uri] = key
        plain = decrypted(body, self._keys[listed.key_uri], listed.initial_vector)
        self._plain.append(plain)
        self.heard.append(Heard(listed, decoded(plain), time.time()))


def delays_s(heard: list[Heard]) -> list[float]:
    """Return how old the newest sample of each segment was when it came."""
    return [
        each.at_s - _unix_s(each.listed.begins_at) - each.listed.duration_s
        for each in heard
    ]


def _unix_s(moment: datetime) -> float:
    return moment.timestamp()

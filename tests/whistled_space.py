"""A Space in which one whistles without a pause, and a listener knows until when."""

import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from aiortc.rtp import RtpPacket

from media_worker.audio.opus import Decoder
from spaces_contract.roles import PeerKind
from tests.api import Api
from tests.audio import tone
from tests.light_clients import LightPeer, LightSpeaker, opus_frames
from tests.worker_process import until

WHISTLE: Final = tone(450, seconds=2)  # its peak: 8,000
LOUD: Final = 100  # a peak; what a codec lets die away is below 40


class Ear(LightPeer):
    """
    A listener who decodes what comes.

    Attributes:
        loud_packets: In how many the whistle was.
        loud_s: When the last of them came, monotonic.
        quiet_packets: How many came after that.
    """

    def __init__(self, api: Api) -> None:
        super().__init__(api, PeerKind.WHEP)
        self.loud_packets = self.quiet_packets = 0
        self.loud_s = 0.0
        self._decoder = Decoder()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Decode RTP."""
        came = self.arrivals.packets
        super().datagram_received(data, addr)
        srtp = None if self.dtls is None else self.dtls._rx_srtp
        # The first may come before the handshake is over here.
        if self.arrivals.packets > came and srtp is not None:
            self._hear(RtpPacket.parse(srtp.unprotect(data)).payload)

    async def aclose(self) -> None:
        """Free the decoder, too."""
        await super().aclose()
        self._decoder.close()

    def _hear(self, payload: bytes) -> None:
        if np.abs(self._decoder.decode(payload)).max() > LOUD:
            self.loud_packets += 1
            self.loud_s = time.monotonic()
            self.quiet_packets = 0
        else:
            self.quiet_packets += 1


@dataclass
class WhistledSpace:
    """A live Space of a host who says nothing, one who whistles, and an ear."""

    host: Api
    whistler: Api
    ear: Ear
    space_id: str
    room_path: str
    opened: contextlib.AsyncExitStack

    async def whistle(self) -> LightSpeaker:
        """Come on stage, whistle, and return once that is heard."""
        joined = await self.whistler.join(self.space_id, "speaker")
        speaker = LightSpeaker(self.whistler, opus_frames(WHISTLE))
        self.opened.push_async_callback(speaker.aclose)
        await speaker.connect(joined["whip_url"], joined["grant"])
        speaker.start_talking()
        await self.heard_again()
        return speaker

    async def heard_again(self) -> None:
        """Return when a packet comes that has the whistle in it."""
        before = self.ear.loud_packets
        await until(lambda: self.ear.loud_packets > before)

    async def is_silenced(self) -> bool:
        """Whether room.json has the whistler muted, or on stage no more."""
        room = json.loads(await self.host.text(self.room_path))
        muted = {each["uid"]: each["muted"] for each in room["stage"]}
        return bool(muted.get(self.whistler.uid, True))

    async def change(self, by: Api, whom: Api, what: dict[str, bool]) -> None:
        """Have one person say something about another, or about themselves."""
        path = f"/v1/spaces/{self.space_id}/participants/{whom.uid}"
        await by.call("PATCH", path, what)


@contextlib.asynccontextmanager
async def whistled_space(url: str) -> AsyncIterator[WhistledSpace]:
    """Open a Space with an ear in it; nobody whistles yet."""
    async with contextlib.AsyncExitStack() as opened:
        host, whistler, listener = [
            await opened.enter_async_context(Api(url, handle))
            for handle in ("wanda", "whistler", "earl")
        ]
        space_id = await host.open_space("Whistling", speaker_policy="everyone")
        opened.push_async_callback(host.call, "POST", f"/v1/spaces/{space_id}/end")
        joined = await listener.join(space_id)
        ear = Ear(listener)
        opened.push_async_callback(ear.aclose)
        await ear.connect(joined["whep_url"], joined["grant"])
        room_path = joined["room_url"].removeprefix(url)
        yield WhistledSpace(host, whistler, ear, space_id, room_path, opened)

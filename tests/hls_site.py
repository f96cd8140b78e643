"""Serves one worker's HLS to browsers by hand: playlist, keys, objects and a page."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Self

from aiohttp import web

from spaces_contract.hls import (
    AUDIO_CODEC,
    PEAK_BIT_RATE_BPS,
    PLAYLIST_CACHE,
    PLAYLIST_TYPE,
    SEGMENT_CACHE,
    SEGMENT_TYPE,
)

# Suffix -> content type and Cache-Control, as an object store would answer.
KINDS: Final = {
    ".m3u8": (PLAYLIST_TYPE, PLAYLIST_CACHE),
    ".ts": (SEGMENT_TYPE, SEGMENT_CACHE),
    ".json": ("application/json", "public, max-age=1"),
}
# Notes when sound begins after silence, by the machine's clock.
PAGE: Final = """<!doctype html><meta charset="utf-8"><audio id="audio"></audio>
<script>
const audio = document.getElementById("audio");
const events = [];
for (const name of ["waiting", "stalled", "error", "playing"])
  audio.addEventListener(name, () => events.push([name, audio.currentTime]));
const onsets = [];
function watch() {
  const context = new AudioContext({ sampleRate: 48000 });
  const ears = new AnalyserNode(context, { fftSize: 512 });
  context.createMediaElementSource(audio).connect(ears);
  ears.connect(context.destination);
  const samples = new Float32Array(ears.fftSize);
  let quiet = 0;
  setInterval(() => {
    ears.getFloatTimeDomainData(samples);
    const loud = samples.some((sample) => Math.abs(sample) > 0.02);
    if (loud && quiet > 20) onsets.push(Date.now());
    quiet = loud ? 0 : quiet + 1;
  }, 5);
}
async function play(native) {
  watch();
  if (native) audio.src = "/listen.m3u8";
  else {
    const { default: Hls } = await import("/hls.js");
    const hls = new Hls();
    hls.on(Hls.Events.ERROR, (_, data) => events.push([data.details, Date.now()]));
    hls.loadSource("/listen.m3u8");
    hls.attachMedia(audio);
  }
  return audio.play();
}
</script>"""


class HlsSite:
    """
    A site on loopback, of one Space.

    Args:
        objects: Folder of the live edge's objects.
        space_id: Whose they are.
        announce: Called for each multivariant playlist.
        fetch_key: Returns a key by its number.
        hls_js: Module of hls.js, for a browser to load; None: there is none.

    Attributes:
        requests: Paths, in order.
    """

    def __init__(
        self,
        objects: Path,
        space_id: str,
        *,
        announce: Callable[[], Awaitable[None]],
        fetch_key: Callable[[int], Awaitable[bytes]],
        hls_js: Path | None = None,
    ) -> None:
        self._objects = objects
        self._space_id = space_id
        self._announce = announce
        self._fetch_key = fetch_key
        self._hls_js = hls_js
        self.requests: list[str] = []
        self.url = ""

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._noting])
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/hls.js", self._script),
                web.get("/listen.m3u8", self._multivariant),
                web.get("/keys/{epoch}/{number}", self._key),
                web.get("/live/{path:.*}", self._object),
            ]
        )
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    @web.middleware
    async def _noting(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self.requests.append(request.path_qs)
        return await handler(request)

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def _script(self, _: web.Request) -> web.StreamResponse:
        if self._hls_js is None:
            raise web.HTTPNotFound
        headers = {"Content-Type": "text/javascript"}
        return web.FileResponse(self._hls_js, headers=headers)

    async def _multivariant(self, _: web.Request) -> web.Response:
        await self._announce()
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:8",
            '#EXT-X-DEFINE:NAME="k",VALUE="/keys"',
            '#EXT-X-DEFINE:NAME="t",VALUE="t=token"',
            f"#EXT-X-STREAM-INF:BANDWIDTH={PEAK_BIT_RATE_BPS},"
            f"CODECS={json.dumps(AUDIO_CODEC)}",
            f"/live/{self._space_id}/audio.m3u8",
        ]
        return web.Response(
            text="\n".join(lines) + "\n",
            content_type=PLAYLIST_TYPE,
            headers={"Cache-Control": "private, no-store"},
        )

    async def _key(self, request: web.Request) -> web.Response:
        key = await self._fetch_key(int(request.match_info["number"]))
        return web.Response(body=key, headers={"Cache-Control": "private, max-age=300"})

    async def _object(self, request: web.Request) -> web.StreamResponse:
        file = self._objects / "live" / request.match_info["path"]
        if not file.is_file():
            raise web.HTTPNotFound
        content_type, cache_control = KINDS[file.suffix]
        return web.Response(
            body=file.read_bytes(),
            content_type=content_type,
            headers={"Cache-Control": cache_control},
        )

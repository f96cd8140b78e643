"""Stepping in by HLS: with a pass that has run out, and after a refusal."""

import asyncio
from typing import Any

from playwright.async_api import Page, Route

# An understudy whose playlists are refused by `code`; `asked` lists their URLs.
REFUSED = """
  const { Understudy } = await import("/media/understudy.js");
  const asked = [];
  let joins = 0;
  const refuse = (code, status) => {
    window.fetch = async (url) => {
      asked.push(new URL(url).pathname);
      return new Response(JSON.stringify({ type: `/problems/${code}` }), { status });
    };
  };
  const understudy = new Understudy({
    player: { element: new Audio(), blocked: false, resume() {} },
    renew: async () => ({ hls_url: "/renewed" }),
    changed() {},
    refused: () => (joins += 1),
  });
  const until = async (count) => {
    for (let i = 0; i < 2000 && asked.length < count; i += 1)
      await new Promise((done) => setTimeout(done, 20));
  };
"""


async def run(page: Page, body: str) -> Any:
    """Return what `body` makes of the understudy."""
    return await page.evaluate(f"async () => {{ {REFUSED} {body} }}")


async def test_a_pass_that_has_run_out_is_renewed(page: Page) -> None:
    """
    WebRTC held for longer than the listen token of the join: another is got, and
    nobody is asked to join again for it.
    """
    body = """
      refuse("listen-token-expired", 401);
      understudy.offer("/of-a-join", { alone: true });
      await until(2);
      understudy.stop();
      return [asked.slice(0, 2), joins];
    """

    assert await run(page, body) == [["/of-a-join", "/renewed"], 0]


async def test_after_a_refusal_the_next_join_counts(page: Page) -> None:
    """
    Who was refused, and is let in again, hears; refused again they do not join in
    a loop.
    """
    body = """
      refuse("recording-notice-required", 409);
      for (const url of ["/first", "/second"]) {
        understudy.offer(url, { alone: true });
        await until(asked.length + 1);
        await new Promise((done) => setTimeout(done, 50));
        understudy.need();
      }
      return [asked, joins];
    """

    assert await run(page, body) == [["/first", "/second"], 1]


async def test_whoever_left_while_joining_hears_nothing(page: Page) -> None:
    """
    The answer of a full room comes late: no player begins that nobody could stop.
    """
    body = """
      const { Connection } = await import("/media/connection.js");
      refuse("hls-starting", 503);
      let admit = (answer) => undefined;
      const connection = new Connection({
        join: () => new Promise((resolve) => (admit = resolve)),
        track: () => null,
        player: understudy.ports.player,
        renew: understudy.ports.renew,
        moved() {},
        told() {},
        refused() {},
      });
      const running = connection.run();
      connection.close();
      admit({ grant: "g", whip_url: null, whep_url: null, hls_url: "/late" });
      await running;
      await new Promise((done) => setTimeout(done, 100));
      return asked;
    """

    assert await run(page, body) == []


# Stands for hls.js: it notes what it is told, and is loaded when `let_it_come` says so.
SLOW_LIBRARY = """
export default class {
  static Events = { ERROR: "error" };
  static isSupported() { return true; }
  constructor() { globalThis.library = []; }
  on() {}
  loadSource() { globalThis.library.push("load"); }
  attachMedia() { globalThis.library.push("attach"); }
  destroy() { globalThis.library.push("destroy"); }
}
"""


async def test_a_library_that_comes_late_leaves_webrtc_alone(page: Page) -> None:
    """
    WebRTC comes up while hls.js is being loaded: the element goes on playing that,
    without one new load.
    """
    let_it_come = asyncio.Event()

    async def library(route: Route) -> None:
        await asyncio.wait_for(let_it_come.wait(), 40)
        await route.fulfill(content_type="text/javascript", body=SLOW_LIBRARY)

    await page.route("**/vendor/hls.min.mjs", library)
    begin = """
      const { player } = understudy.ports;
      player.element.canPlayType = () => "";
      window.fetch = async () => { asked.push(1); return new Response("#EXTM3U"); };
      understudy.offer("/of-a-join", { alone: true });
      await until(1);
      await new Promise((done) => setTimeout(done, 100));
      understudy.stop();
      window.played = new MediaStream();
      player.element.srcObject = window.played;
      window.player = player;
      window.loads = 0;
      player.element.addEventListener("emptied", () => (window.loads += 1));
    """
    async with page.expect_request("**/vendor/hls.min.mjs"):
        await run(page, begin)
    let_it_come.set()
    await page.evaluate("import('/vendor/hls.min.mjs')")

    told = await page.evaluate(
        "() => [window.library, player.element.srcObject === played, loads]"
    )

    assert told == [None, True, 0]

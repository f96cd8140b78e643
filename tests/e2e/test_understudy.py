"""Stepping in by HLS: with a pass that has run out, and after a refusal."""

from typing import Any

from playwright.async_api import Page

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
    for (let i = 0; i < 100 && asked.length < count; i += 1)
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

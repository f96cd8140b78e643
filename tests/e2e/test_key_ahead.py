"""The web client fetches keys before they are due, spread over the last minute."""

from playwright.async_api import Page

PLAYLIST = (
    '#EXTM3U\\n#EXT-X-DEFINE:NAME="k",VALUE="/k"\\n#EXT-X-DEFINE:NAME="t",VALUE="t=a.b"'
)


async def test_a_crowd_spreads_over_the_last_minute(page: Page) -> None:
    """
    Whoever knows the time of the next key early waits for its last minute, at a random
    instant of it; whoever knows late takes what is left.
    """
    body = """async () => {
      const { aheadMs } = await import("/media/key_ahead.js");
      const at = (ms) => [0, 0.5, 1].map((random) => aheadMs(ms, () => random));
      return [at(200000), at(30000), at(-5000)];
    }"""

    early, late, over = await page.evaluate(body)

    assert early == [140_000, 170_000, 200_000]
    assert late == [0, 15_000, 30_000]
    assert over == [0, 0, 0]


async def test_the_next_key_is_asked_for_as_a_player_would(page: Page) -> None:
    """
    The URL is the playlist's, of the number after the current one; once for each.
    """
    body = (
        """async () => {
      const { KeyAhead } = await import("/media/key_ahead.js");
      const asked = [];
      const seen = ({ pathname, search }) => asked.push(pathname + search);
      window.fetch = async (url) => seen(new URL(url));
      const ahead = new KeyAhead();
      const soon = () => new Date(Date.now() + 100).toISOString();
      ahead.follow({ epoch: 2, hls_key: { n: 7, rotates_at: soon() } });
      ahead.learn('"""
        + PLAYLIST
        + """');
      ahead.follow({ epoch: 2, hls_key: null });
      for (let i = 0; i < 3; i += 1)
        ahead.follow({ epoch: 2, hls_key: { n: 7, rotates_at: soon() } });
      await new Promise((done) => setTimeout(done, 300));
      return asked;
    }"""
    )

    assert await page.evaluate(body) == ["/k/2/8?t=a.b"]

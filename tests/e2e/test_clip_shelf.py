"""The clips below a replay, while another one is being made."""

from playwright.async_api import Page


async def test_clips_that_stay_the_same_stay_where_they_are(page: Page) -> None:
    """
    While another one is being made the list is read again and again: what plays there
    plays on.
    """
    body = """async () => {
      const { ClipShelf } = await import("/views/replay_clips.js");
      const clip = (id, state) =>
        ({ id, title: id, state, start_ms: 0, duration_ms: 1000, made_by: "ana" });
      let clips = [clip("1", "ready"), clip("2", "pending")];
      window.fetch = async () => new Response(JSON.stringify({ clips }));
      const shelf = new ClipShelf("s1", { version: 1, hosts: [] });
      const rows = () => [...shelf.element.querySelectorAll("article")];
      await shelf.load();
      const [first, second] = rows();
      await shelf.load();
      const same = rows()[0] === first && rows()[1] === second;
      clips = [clip("1", "ready"), clip("2", "ready")];
      await shelf.load();
      const states = rows().map((row) => row.dataset.state);
      const kept = rows()[0] === first;
      clips = [clip("2", "ready")];
      await shelf.load();
      shelf.destroy();
      return [same, kept, states, rows().length];
    }"""

    assert await page.evaluate(body) == [True, True, ["ready", "ready"], 1]

"""The web client's modules of media and of calls, run in Chromium."""

import json

from playwright.async_api import Page

from tests.browser import run_module


async def test_media_states_are_a_closed_table(page: Page) -> None:
    """
    Every transition leads to a state of the table; what is not in it is refused.
    """
    body = """
      const known = new Set(Object.keys(m.TRANSITIONS));
      const targets = Object.values(m.TRANSITIONS).flatMap((row) => Object.values(row));
      let refused = 0;
      try { m.nextState("idle", "up"); } catch (error) { refused = error.message; }
      return [targets.every((state) => known.has(state)), refused];
    """

    assert await run_module(page, "/media/states.js", body) == [
        True,
        "media cannot up while idle",
    ]


async def test_coming_back_is_one_state(page: Page) -> None:
    """
    From the loss until media flows again the state is "reconnecting", whatever
    happens between; before the first media a loss changes nothing.
    """
    body = """
      const walk = (events, from) =>
        events.map((event) => (from = m.nextState(from, event)));
      return [walk(["lost", "granted", "lost", "granted", "up"], "live"),
              walk(["join", "lost", "granted", "lost", "up"], "idle")];
    """

    back, first = await run_module(page, "/media/states.js", body)

    assert back == ["reconnecting"] * 4 + ["live"]
    assert first == ["joining", "joining", "connecting", "connecting", "live"]


async def test_backoff_doubles_to_four_seconds(page: Page) -> None:
    """
    Waits grow from 250 ms to 4 s, half of each is jitter, and Retry-After is the least.
    """
    body = """
      const at = (random) =>
        [0, 1, 2, 3, 4, 9].map((n) => m.backoffMs(n, { random: () => random }));
      return [at(0), at(1), m.backoffMs(0, { retryAfterMs: 1000 })];
    """

    least, most, asked = await run_module(page, "/media/backoff.js", body)

    assert most == [250, 500, 1000, 2000, 4000, 4000]
    assert least == [value / 2 for value in most]
    assert asked == 1000


async def test_who_hears_by_hls_tries_webrtc_less_and_less(page: Page) -> None:
    """
    Each attempt costs a join: from half a minute apart to ten minutes.
    """
    body = """
      const nth = [0, 1, 2, 3, 4, 9];
      const at = (random) => nth.map((n) => m.unhurriedMs(n, () => random));
      return [at(0), at(1)];
    """

    least, most = await run_module(page, "/media/backoff.js", body)

    assert most == [60_000, 120_000, 240_000, 480_000, 600_000, 600_000]
    assert least == [value / 2 for value in most]


async def test_a_stall_is_three_seconds_without_packets(page: Page) -> None:
    """
    A counter that stands still for 3 s is a stall; a page that slept gets 3 s anew.
    """
    body = """
      const still = new m.StallDetector(0);
      const slept = new m.StallDetector(0);
      const notes = (detector, ...seen) => seen.map((x) => detector.note(...x));
      return [notes(still, [0, 0], [5, 1000], [5, 2000], [5, 3000], [5, 4000]),
              notes(slept, [5, 1000], [5, 60000], [5, 61000], [9, 62000])];
    """

    still, slept = await run_module(page, "/media/stall.js", body)

    assert still == [False, False, False, False, True]
    assert slept == [False] * 4


async def test_a_stream_that_never_began_is_a_stall_too(page: Page) -> None:
    """
    Packets are counted before the first one came, when browsers have no report of any.
    """
    body = """
      const audio = { type: "inbound-rtp", packetsReceived: 7 };
      const stats = (...reports) => new Map(reports.entries());
      return [m.packetsIn(stats()), m.packetsIn(stats({ type: "codec" }, audio))];
    """

    assert await run_module(page, "/media/whep.js", body) == [0, 7]


async def test_an_answer_that_breaks_off_is_no_answer(page: Page) -> None:
    """
    A connection lost amid a body is the same problem as one lost before it.
    """
    body = """
      const broken = new ReadableStream({
        pull: (controller) => controller.error(new TypeError("network error")),
      });
      globalThis.fetch = async () => new Response(broken);
      return m.request("GET", "/v1/me").catch(({ code, status }) => [code, status]);
    """

    assert await run_module(page, "/http.js", body) == ["unreachable", 0]


async def test_a_problem_says_more_exactly_than_its_header_when_to_come(
    page: Page,
) -> None:
    """
    `retry_after_ms` counts before Retry-After, which knows whole seconds only.
    """
    body = """
      const waits = [];
      for (const told of [{ retry_after_ms: 200 }, {}]) {
        const headers = { "Retry-After": "1" };
        const answer = new Response(JSON.stringify(told), { status: 503, headers });
        window.fetch = async () => answer;
        waits.push(await m.request("POST", "/").catch((e) => e.retryAfterMs));
      }
      return waits;
    """

    assert await run_module(page, "/http.js", body) == [200, 1000]


async def test_refusals_are_judged(page: Page) -> None:
    """
    What passes by itself is tried again; the end is an end; the rest is told.
    """
    expected = {
        ("worker-starting", 503, ""): "retry",
        ("worker-unreachable", 503, ""): "retry",
        ("stale-grant", 409, ""): "retry",
        ("grant-expired", 401, ""): "retry",
        ("not-on-stage", 403, ""): "retry",
        ("unreachable", 0, ""): "retry",
        ("http-500", 500, ""): "retry",
        ("not-live", 409, "ended"): "ended",
        ("not-live", 409, "scheduled"): "refused",
        ("removed", 403, ""): "refused",
        ("blocked", 403, ""): "refused",
        ("space-not-found", 404, ""): "refused",
    }
    body = f"""
      const {{ Problem }} = await import("/http.js");
      return {json.dumps(list(expected))}.map(([code, status, state]) =>
        m.verdictOf(new Problem({{ code, status, state }})));
    """

    assert await run_module(page, "/media/verdict.js", body) == list(expected.values())


async def test_a_sign_in_page_of_the_network_is_no_answer(page: Page) -> None:
    """
    A page that answers in the server's place is told as such, not as a crash.
    """
    body = """
      window.fetch = async () => new Response("<h1>Hotel Wi-Fi</h1>");
      return m.getSpace("1111111111111").catch((problem) => problem.code);
    """

    assert await run_module(page, "/api.js", body) == "not-parley"

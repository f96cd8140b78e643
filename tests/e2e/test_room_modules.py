"""The web client's modules of the room and of what it shows, run in Chromium."""

from playwright.async_api import Page

from tests.browser import run_module


async def test_changes_of_the_stage_are_told(page: Page) -> None:
    """
    Who joins, leaves or changes role is told in words; oneself and old news are not.
    """
    body = """
      const who = (uid, role = "speaker", muted = false) =>
        ({ uid, role, muted, display_name: uid.toUpperCase(),
           csrc: uid.charCodeAt(0) });
      const room = (...stage) => ({ epoch: 2, version: 5, stage, talking: ["a", "b"] });
      const before = room(who("a", "host"), who("b"), who("d"), who("me"));
      const after = room(who("a", "host"), who("c"), who("b", "co_host"));
      return [m.happenings(before, after, "me"), m.happenings(null, after, "me"),
              [...m.talkers(room(who("a"), who("b", "speaker", true)), [97, 98])],
              [...m.talkers(room(who("a"), who("b")), null)],
              m.isNewer(before, { ...after, version: 5 }),
              m.isNewer(before, { ...after, epoch: 3, version: 0 }),
              ["b", "me"].map((acting_host_id) =>
                m.happenings(before, { ...before, acting_host_id }, "me")[0])];
    """

    told, first, heard, named, same, next_epoch, acting = await run_module(
        page, "/room/roster.js", body
    )

    assert told == ["C joined the stage.", "B is now co-host.", "D left the stage."]
    assert first == []
    assert heard == ["a"]
    assert named == ["a", "b"]
    assert (same, next_epoch) == (False, True)
    assert acting == [
        "B acts as host until the host is back.",
        "You act as host until the host is back.",
    ]


async def test_nobody_stays_who_left_while_joining(page: Page) -> None:
    """
    A leave is said again once the join on its way is through, whatever became of it,
    and the next join waits for that.
    """
    body = """
      const { promise: answered, resolve: answer } = Promise.withResolvers();
      const told = [];
      globalThis.fetch = async (url) => {
        const name = url.split("/").pop();
        told.push(name);
        if (name === "leave") return new Response(null, { status: 204 });
        if (told.length === 1) await answered;
        return Response.json({}, { status: told.length > 3 ? 200 : 503 });
      };
      const wish = { role: "speaker", anonymous: false };
      const first = m.comeIn("abc", wish).catch(() => "refused");
      await new Promise((resolve) => setTimeout(resolve));
      const left = m.goOut("abc");
      const second = m.comeIn("abc", wish);
      await new Promise((resolve) => setTimeout(resolve));
      const early = told.length;
      answer();
      await left;
      await m.goOut("elsewhere");
      return [await first, await second, early, told];
    """

    first, second, early, told = await run_module(page, "/room/doorway.js", body)

    assert (first, second) == ("refused", {})
    assert told[:early] == ["join", "leave"]
    assert told[early:] == ["leave", "join", "leave"]


async def test_the_server_learns_the_latest_mute(page: Page) -> None:
    """
    Changes are told one after the other, what was overtaken meanwhile not at all; a
    refusal of the latest mutes, one that nobody waits for any more does not.
    """
    body = """
      const told = [];
      const answers = [];
      const voice = new m.Voice({
        tell: (muted) => new Promise((resolve, reject) => {
          told.push(muted);
          answers.push({ resolve, reject });
        }),
        onlost: () => undefined,
      });
      const first = voice.change(false);
      for (const muted of [true, false, true, false]) await voice.change(muted);
      const early = [...told];
      answers[0].reject(new Error("overtaken"));
      while (answers.length < 2) await null;
      const heard = !voice.muted;
      answers[1].reject(new Error("refused"));
      const outcome = await first.catch((error) => error.message);
      return [early, told, heard, outcome, voice.muted];
    """

    early, told, heard, outcome, muted = await run_module(page, "/room/voice.js", body)

    assert (early, told) == ([False], [False, False])
    assert (heard, outcome, muted) == (True, "refused", True)


async def test_text_is_made_from_data(page: Page) -> None:
    """
    Durations, clocks, counts and initials read as people write them.
    """
    body = """
      return [m.duration(30_000), m.duration(12.5 * 60_000), m.duration(64 * 60_000),
              m.clock(7000), m.clock(3_723_000), m.plural(1, "listener"),
              m.plural(1240, "listener"), m.initials("Ana Lima"), m.initials("bo"),
              m.initials("✨Zoë✨ 🎧"), m.initials("👩‍🚀🔥"), m.initials(""),
              m.hue("Ana") === m.hue("ana")];
    """

    assert await run_module(page, "/format.js", body) == [
        "< 1 min",
        "12 min",
        "1 h 4 min",
        "0:07",
        "1:02:03",
        "1 listener",
        "1.2K listeners",
        "AL",
        "B",
        "Z",
        "👩‍🚀",
        "?",
        True,
    ]


async def test_the_card_of_the_space_one_is_in_says_so(page: Page) -> None:
    """
    Cards that are shown already change with it, those to come are drawn so; whoever
    cannot see them is told as well.
    """
    body = """
      const host = { handle: "ana", display_name: "Ana" };
      const rest = { host, host_ids: ["a"], speaker_ids: [], participant_count: 1 };
      const add = (id) =>
        document.body.append(m.cardOf({ ...rest, id, title: id }));
      const shown = () =>
        [...document.querySelectorAll("[data-testid=space-card]")].map((card) =>
          [card.querySelector(".card__go").textContent,
           card.querySelector("a").ariaCurrent]);
      add("here");
      const looks = [shown()];
      m.markHere("here");
      for (const id of ["there", "here"]) add(id);
      looks.push(shown());
      m.markHere(null);
      return [...looks, shown()];
    """

    before, inside, after = await run_module(page, "/views/space_card.js", body)

    listen, joined = ["Listen", None], ["Joined", "true"]
    assert before == [listen]
    assert inside == [joined, listen, joined]
    assert after == [listen] * 3


async def test_only_what_was_recorded_is_offered(page: Page) -> None:
    """
    Whether anybody agreed shows in the state; of a Space where nobody did there is
    nothing to hear.
    """
    body = """
      const space = { host: { handle: "ana", display_name: "Ana" }, host_ids: [],
                      speaker_ids: [] };
      return ["off", "pending", "recording", "finishing", "ready"].filter((state) =>
        m.endedPanel({ ...space, recording_state: state }, { routes: {} })
          .querySelector("[data-testid=ended-recording]"));
    """

    offered = await run_module(page, "/views/ended.js", body)

    assert offered == ["recording", "finishing", "ready"]


async def test_only_its_host_reads_of_their_other_spaces(page: Page) -> None:
    """
    A Space that was one too many has ended, for all; why, its host alone can mend.
    """
    body = """
      const space = { host: { handle: "ana", display_name: "Ana" }, host_ids: [],
                      speaker_ids: [], recording_state: "off" };
      return [["too_many_live", true], ["too_many_live", false], ["host_ended", true]]
        .map(([end_reason, hosts]) => {
          const panel = m.endedPanel({ ...space, end_reason }, { routes: {}, hosts });
          return [panel.querySelector(".ended__kicker").textContent,
                  panel.querySelector("[data-testid=ended-why]")?.textContent];
        });
    """

    shown = await run_module(page, "/views/ended.js", body)

    why = "You had ten other Spaces live. End one, then start again."
    assert [kicker for kicker, _ in shown] == ["This Space has ended"] * 3
    assert [said for _, said in shown] == [why, None, None]


async def test_of_one_voice_the_outline_says_when_it_talks(page: Page) -> None:
    """
    Several have a lane each and a way to the next; one has a name alone.
    """
    body = """
      const { replayControls } = await import("/views/replay_controls.js");
      const ana = { uid: "a", display_name: "Ana", heard: [[0, 900]] };
      const bo = { uid: "b", display_name: "Bo", heard: [[900, 1000]] };
      return [[ana], [ana, bo]].map((speakers) => {
        const drawn = { peaks: [5], speakers, durationMs: 1000, onseek: () => {} };
        const wave = new m.Waveform(drawn).element;
        const given = { audio: new Audio(), speakers, now: "", clip: () => {} };
        const next = "[data-testid=replay-next]";
        return [wave.querySelectorAll(".wave__name").length,
                wave.querySelectorAll(".wave__bars").length,
                replayControls("s", given).querySelectorAll(next).length];
      });
    """

    alone, among = await run_module(page, "/components/waveform.js", body)

    assert alone == [1, 0, 0]
    assert among == [2, 2, 1]


async def test_times_to_come_are_told_in_the_readers_zone(page: Page) -> None:
    """
    A day and a time are near ones by name, others by date; what is left counts down.
    """
    body = """
      const now = new Date(2026, 10, 22, 18, 0);
      const at = (day, hour) => m.moment(new Date(2026, 10, day, hour, 5), now);
      const hours = 3_600_000;
      return [at(22, 19), at(23, 9), at(25, 19),
              m.countdown(9 * 60_000), m.countdown(2 * hours), m.countdown(50 * hours),
              m.ago(new Date(now - 5 * 60_000), now)];
    """

    today, tomorrow, later, *lefts = await run_module(page, "/format.js", body)

    assert (today, tomorrow) == ("Today, 7:05 PM", "Tomorrow, 9:05 AM")
    assert later == "Wed, Nov 25, 7:05 PM"
    assert lefts == ["9:00", "2 h 0 min", "2 days", "5 min ago"]


async def test_handles_are_judged_as_the_server_does(page: Page) -> None:
    """
    A handle that the server would refuse is refused before, with the reason.
    """
    body = """
      return ["ana", "a_1", "__x", "", "a b", "né", "__x__", "a".repeat(16)]
        .map(m.troubleWith);
    """

    *fine, empty, space, accent, reserved, long = await run_module(
        page, "/views/account_forms.js", body
    )

    assert fine == ["", "", ""]
    assert empty == "Enter a handle."
    assert space == accent == "Use letters a to z, digits and _ only."
    assert "two underscores" in reserved
    assert "15 characters" in long


async def test_only_new_reactions_float(page: Page) -> None:
    """
    What was there before somebody came is over; of a crowd's a dozen are shown; own
    ones, shown when sent, are not shown again; and a new epoch counts from nothing.
    """
    body = """
      const shown = [];
      const session = { space: { id: "s" }, connection: { grant: "" } };
      const reactions = new m.Reactions(session, (emoji) => shown.push(emoji));
      const looks = [[1, { "🔥": 5 }], [1, { "🔥": 7 }], [1, { "🔥": 900, "?": 1 }],
                     [2, { "👏": 1 }]];
      const counts = looks.map(([epoch, reactionsSoFar]) => {
        reactions.look({ epoch, reactions: reactionsSoFar });
        return shown.splice(0).length;
      });
      window.fetch = async () => new Response(null, { status: 204 });
      await reactions.send("👏");
      reactions.look({ epoch: 2, reactions: { "👏": 2 } });
      return [counts, shown];
    """

    assert await run_module(page, "/room/reactions.js", body) == [[0, 2, 12, 1], ["👏"]]


async def test_hosts_read_who_has_trouble(page: Page) -> None:
    """
    Bad networks are named before unsteady ones; each line says what is lost where.
    """
    body = """
      const one = (uid, grade, sent_lost = 0, heard_lost = 0, jitter_ms = 0) =>
        ({ uid, grade, sent_lost, heard_lost, jitter_ms });
      const good = one("Ana", "good"), fair = one("Bo", "fair", 0, 0.04, 20);
      const poor = one("Cy", "poor", 0.254), bad = one("Di", "poor", 0, 0, 120);
      const name = ({ uid }) => uid;
      const rooms = [[good], [good, fair], [fair, poor], [poor, bad]];
      return [
        ...rooms.map((people) => m.summary(people, name)),
        ...[good, fair, poor].map(m.describe),
      ];
    """

    assert await run_module(page, "/views/networks.js", body) == [
        "all good",
        "unsteady for Bo",
        "Cy has a bad network",
        "Cy, Di have a bad network",
        "Good.",
        "Unsteady. They miss 4 % of what they hear. Arrives unevenly, by 20 ms.",
        "Bad. 25 % of what they say is lost.",
    ]

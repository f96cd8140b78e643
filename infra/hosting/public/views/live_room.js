// @ts-check
/** The room itself: who is on stage, who talks, and one's own controls. */

import { clock, plural } from "../format.js";
import { explain } from "../problems.js";
import { account } from "../session.js";
import { announce } from "../components/announce.js";
import { button } from "../components/button.js";
import { h, setAttribute, setText } from "../components/dom.js";
import { liveChip } from "../components/live_chip.js";
import { shareSpace } from "../components/share.js";
import { Stage } from "../components/stage.js";
import { Controls } from "./controls.js";
import { memberSheet } from "./member.js";
import { openPeople } from "./people.js";
import { promotionSheet } from "./promotion.js";

const CLOCK_MS = 1000;

/** @type {Readonly<Partial<Record<import("../media/states.js").MediaState, string>>>} */
const PILLS = Object.freeze({
  joining: "Joining…",
  connecting: "Opening the room…",
  reconnecting: "Reconnecting…",
});

/**
 * @param {import("../room/session.js").RoomSession} session
 * @param {{routes: import("../router.js").Routes, title: string}} options
 */
export function liveRoom(session, { routes, title }) {
  const closing = new AbortController();
  const stage = new Stage((member) => session.manages && member.uid !== session.uid
    ? () => memberSheet(session, member) : null);
  const controls = new Controls(session, { left: () => routes.go("/") });
  const head = header(session, routes);
  const pill = h("p", { class: "pill", role: "status", hidden: true });
  controls.element.append(pill); // above them, moving nothing
  const tap = button("Tap to listen", {
    look: "primary", icon: "volume", testid: "tap-to-listen", onclick: () => session.player.resume(),
  });
  const trouble = blockedNotice();
  const as = h("p", { class: "room__as muted" });
  const alone = lonely(session);
  const element = h(
    "section",
    { class: "room", "aria-label": title, "data-testid": "room" },
    head.element,
    h("h1", { tabindex: -1, class: "room__title" }, title),
    tap,
    trouble,
    stage.element,
    alone,
    as,
    controls.element,
  );
  const draw = () => {
    element.dataset.connection = session.state;
    element.dataset.role = session.role;
    element.dataset.muted = String(session.muted);
    const { blocked } = session.connection;
    setText(pill, blocked ? "Trying again…" : PILLS[session.state] ?? "");
    setAttribute(trouble, "hidden", !blocked);
    setAttribute(pill, "hidden", !PILLS[session.state]);
    setAttribute(tap, "hidden", !session.tapNeeded);
    setText(as, listeningAs(session));
    setAttribute(alone, "hidden", !session.manages || session.room?.participant_count !== 1);
    head.draw();
    stage.draw(session.room?.stage ?? [], session.uid);
    controls.draw();
    promotion.draw();
  };
  const promotion = promotionSheet(session);
  const timer = setInterval(head.draw, CLOCK_MS);
  session.on("change", draw, closing.signal);
  session.on("beat", (beat) => stage.beat(beat), closing.signal);
  session.on("said", (text) => announce(text), closing.signal);
  draw();
  return {
    element,
    destroy: () => {
      closing.abort();
      clearInterval(timer);
      promotion.close();
    },
  };
}

/**
 * @param {import("../room/session.js").RoomSession} session
 * @param {import("../router.js").Routes} routes
 */
function header(session, routes) {
  const elapsed = h("span", { class: "room__clock" });
  const listeners = h("span", { "data-testid": "listener-count" });
  const element = h(
    "header",
    { class: "room__header" },
    button("Keep listening and look around", {
      look: "quiet", icon: "chevron-down", round: true, testid: "minimize", onclick: () => routes.go("/"),
    }),
    h("div", { class: "room__status" }, liveChip(), elapsed, listeners),
    button("Share", { look: "quiet", icon: "share", round: true, testid: "share", onclick: () => shareSpace(session.space) }),
    button("People", { look: "quiet", icon: "people", round: true, testid: "people", onclick: () => openPeople(session) }),
  );
  const draw = () => {
    setText(elapsed, clock(Date.now() - Date.parse(session.space.started_at ?? "")));
    const count = session.room?.listener_count ?? 0;
    setText(listeners, `${plural(count, "listener")}`);
    listeners.dataset.count = String(count);
  };
  return { element, draw };
}

/** For a network that lets the page through and the sound not. */
function blockedNotice() {
  const { title, text } = explain({ code: "media-blocked" });
  return h(
    "p",
    { class: "room__notice", role: "status", hidden: true, "data-testid": "media-blocked" },
    h("strong", {}, title), " ", h("span", { class: "muted" }, text),
  );
}

/**
 * For a host whom nobody has found yet.
 *
 * @param {import("../room/session.js").RoomSession} session
 */
function lonely(session) {
  return h(
    "div",
    { class: "room__alone" },
    h("p", {}, h("strong", {}, "It’s just you so far."), h("span", { class: "muted" }, "Send people the link; they can listen in two taps.")),
    button("Share", { icon: "share", onclick: () => shareSpace(session.space) }),
  );
}

/** @param {import("../room/session.js").RoomSession} session */
function listeningAs(session) {
  const name = account()?.displayName ?? "yourself";
  if (session.onStage) return `On stage as ${name} · ${session.muted ? "your mic is off" : "everybody hears you"}`;
  return session.anonymous ? "Listening anonymously" : `Listening as ${name}`;
}

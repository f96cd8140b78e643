// @ts-check
/** The room itself: who is on stage, who talks, and one's own controls. */

import { explain } from "../problems.js";
import { account } from "../session.js";
import { announce } from "../components/announce.js";
import { button } from "../components/button.js";
import { h, setAttribute, setText } from "../components/dom.js";
import { Floats } from "../components/reaction_bar.js";
import { Stage } from "../components/stage.js";
import { toast } from "../components/toast.js";
import { Hand } from "../room/hand.js";
import { Hands } from "../room/hands.js";
import { Reactions } from "../room/reactions.js";
import { attempt, Controls } from "./controls.js";
import { openInvite } from "./invite.js";
import { memberSheet } from "./member.js";
import { openPeople } from "./people.js";
import { promotionSheet } from "./promotion.js";
import { roomHeader } from "./room_header.js";
import { roomRecording } from "./room_recording.js";

const CLOCK_MS = 1000;

/** @typedef {import("../room/session.js").RoomSession} RoomSession */

/** @type {Readonly<Partial<Record<import("../media/states.js").MediaState, string>>>} */
const PILLS = Object.freeze({
  joining: "Joining…",
  connecting: "Opening the room…",
  reconnecting: "Reconnecting…",
});

/**
 * @param {RoomSession} session
 * @param {{routes: import("../router.js").Routes, title: string}} options
 */
export function liveRoom(session, { routes, title }) {
  const closing = new AbortController();
  const redraw = () => draw();
  const hands = askers(session, redraw);
  const hand = new Hand(session, { onchange: redraw, ondeclined: () => toast("Not now", { text: "The hosts can’t take you up at the moment.", symbol: "hand" }) });
  const stage = new Stage((member) => member.uid === session.uid ? null : () => memberSheet(session, member));
  const floats = new Floats();
  const reactions = new Reactions(session, (emoji, delayMs) => floats.show(emoji, delayMs));
  const react = (/** @type {string} */ emoji) => attempt(() => reactions.send(emoji));
  const controls = new Controls(session, { hand, react, left: () => routes.go("/") });
  const head = roomHeader(session, { hands, minimize: () => routes.go("/"), showPeople: () => openPeople(session, hands, closing.signal) });
  const promotion = promotionSheet(session);
  const pill = h("p", { class: "pill", role: "status", hidden: true });
  controls.element.append(pill); // above them, moving nothing
  const tap = button("Tap to listen", {
    look: "primary", icon: "volume", testid: "tap-to-listen", onclick: () => session.player.resume(),
  });
  const recording = roomRecording(session);
  const notices = roomNotices(session);
  const as = h("p", { class: "room__as muted" });
  const alone = lonely(session);
  const element = h(
    "section",
    { class: "room", "aria-label": title, "data-testid": "room" },
    head.element,
    h("h1", { tabindex: -1, class: "room__title" }, title),
    recording.element,
    tap,
    ...notices.elements,
    stage.element,
    alone,
    as,
    floats.element,
    controls.element,
  );
  const draw = () => {
    element.dataset.connection = session.state;
    element.dataset.role = session.role;
    element.dataset.muted = String(session.muted);
    setText(pill, session.connection.blocked ? "Trying again…" : PILLS[session.state] ?? "");
    setAttribute(pill, "hidden", !PILLS[session.state]);
    setAttribute(tap, "hidden", !session.tapNeeded);
    setText(as, listeningAs(session));
    setAttribute(alone, "hidden", !session.manages || session.room?.participant_count !== 1);
    recording.draw();
    notices.draw();
    head.draw();
    stage.draw(session.room?.stage ?? [], session.uid);
    controls.draw();
    promotion.draw();
    reactions.look(session.room);
  };
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
      hands.stop();
      hand.stop();
      promotion.close();
      recording.stop();
    },
  };
}

/**
 * @param {RoomSession} session
 * @param {() => void} redraw
 */
function askers(session, redraw) {
  return new Hands(session, {
    onchange: () => {
      redraw();
      session.emit("hands", null);
    },
    onnew: ({ display_name: name }) => toast(`${name} asks to speak`, { text: "See “People” to answer.", symbol: "hand" }),
  });
}

/**
 * What stands in the way of an ordinary room, each shown while it lasts.
 *
 * @param {RoomSession} session
 */
function roomNotices(session) {
  const silent = explain({ code: "media-blocked" });
  const notice = (/** @type {string} */ testid, /** @type {string} */ title, /** @type {string} */ text) =>
    h("p", { class: "room__notice", role: "status", hidden: true, "data-testid": testid }, h("strong", {}, title), " ", h("span", { class: "muted" }, text));
  const blocked = notice("media-blocked", silent.title, silent.text);
  const away = notice("host-away", "The host is away.", "The Space ends in a few minutes if they don’t come back.");
  const disliked = notice("blocked-on-stage", "Somebody you blocked is on stage.", "You will hear them. You can leave at any time.");
  return {
    elements: [blocked, away, disliked],
    draw: () => {
      setAttribute(blocked, "hidden", !session.connection.blocked);
      setAttribute(away, "hidden", !session.room?.host_away);
      setAttribute(disliked, "hidden", !session.blockedOnStage);
    },
  };
}

/**
 * For a host whom nobody has found yet.
 *
 * @param {RoomSession} session
 */
function lonely(session) {
  return h(
    "div",
    { class: "room__alone" },
    h("p", {}, h("strong", {}, "It’s just you so far."), h("span", { class: "muted" }, "Bring people in: by name, or with the link.")),
    button("Invite", { icon: "user-plus", onclick: () => openInvite(session.space, session.role === "host") }),
  );
}

/** @param {RoomSession} session */
function listeningAs(session) {
  const name = account()?.displayName ?? "yourself";
  if (session.onStage) return `On stage as ${name} · ${session.muted ? "your mic is off" : "everybody hears you"}`;
  return session.anonymous ? "Listening anonymously" : `Listening as ${name}`;
}

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
import { Networks } from "./networks.js";
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
  const room = new LiveRoom(session, routes);
  return { element: room.build(title), destroy: () => room.destroy() };
}

class LiveRoom {
  #closing = new AbortController();
  #element = h("section", { class: "room", "data-testid": "room" });
  #pill = h("p", { class: "pill", role: "status", hidden: true });
  #as = h("p", { class: "room__as muted" });
  #floats = new Floats();
  #timer = 0;

  /**
   * @param {RoomSession} session
   * @param {import("../router.js").Routes} routes
   */
  constructor(session, routes) {
    this.session = session;
    const leave = () => routes.go("/");
    this.hands = askers(session, () => this.#draw());
    this.hand = new Hand(session, { onchange: () => this.#draw(), ondeclined: tellDeclined });
    this.reactions = new Reactions(session, (emoji, delayMs) => this.#floats.show(emoji, delayMs));
    const react = (/** @type {string} */ emoji) => attempt(() => this.reactions.send(emoji));
    this.controls = new Controls(session, { hand: this.hand, react, left: leave });
    const showPeople = () => openPeople(session, this.hands, this.#closing.signal);
    this.head = roomHeader(session, { hands: this.hands, minimize: leave, showPeople });
    this.stage = new Stage((member) => (member.uid === session.uid ? null : () => memberSheet(session, member)));
    this.promotion = promotionSheet(session);
    this.recording = roomRecording(session);
    this.notices = roomNotices(session);
    this.alone = lonely(session);
    this.networks = new Networks(session);
    this.tap = button("Tap to listen", {
      look: "primary", icon: "volume", testid: "tap-to-listen", onclick: () => session.player.resume(),
    });
  }

  /** @param {string} title */
  build(title) {
    setAttribute(this.#element, "aria-label", title);
    this.controls.element.append(this.#pill); // above them, moving nothing
    this.#element.append(
      this.head.element,
      h("h1", { tabindex: -1, class: "room__title" }, title),
      this.recording.element,
      this.tap,
      ...this.notices.elements,
      this.stage.element,
      this.networks.element,
      this.alone,
      this.#as,
      this.#floats.element,
      this.controls.element,
    );
    const { signal } = this.#closing;
    this.#timer = window.setInterval(this.head.draw, CLOCK_MS);
    this.session.on("change", () => this.#draw(), signal);
    this.session.on("beat", (beat) => this.stage.beat(beat), signal);
    this.session.on("said", (text) => announce(text), signal);
    this.#draw();
    return this.#element;
  }

  destroy() {
    this.#closing.abort();
    clearInterval(this.#timer);
    this.hands.stop();
    this.hand.stop();
    this.promotion.close();
    this.recording.stop();
  }

  #draw() {
    const { session } = this;
    const { state, role, muted, room } = session;
    const transport = session.connection.delayed ? "hls" : "webrtc";
    Object.assign(this.#element.dataset, { connection: state, role, muted: String(muted), transport });
    setText(this.#pill, session.connection.blocked ? "Trying again…" : PILLS[state] ?? "");
    setAttribute(this.#pill, "hidden", !PILLS[state]);
    setAttribute(this.tap, "hidden", !session.player.blocked);
    setText(this.#as, listeningAs(session));
    setAttribute(this.alone, "hidden", !session.manages || room?.participant_count !== 1);
    this.recording.draw();
    this.notices.draw();
    this.head.draw();
    this.stage.draw(room?.stage ?? expected(session), session.uid);
    this.networks.draw();
    this.controls.draw();
    this.promotion.draw();
    this.reactions.look(room);
  }
}

/**
 * Who will be on stage before the room says so: a host sees themself come at once.
 *
 * @param {RoomSession} session
 * @returns {import("../room/roster.js").Member[]}
 */
function expected({ role, muted, space: { host } }) {
  return role === "host" ? [{ ...host, role, muted, connected: false, csrc: 0 }] : [];
}

const tellDeclined = () =>
  toast("Not now", { text: "The hosts can’t take you up at the moment.", symbol: "hand" });

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
  const late = h("p", { class: "room__as muted", role: "status", hidden: true, "data-testid": "delayed" }, "Playing with a few seconds’ delay.");
  const acting = notice("acting-host", "You act as host.", "You can end the Space, until the host is back.");
  const disliked = notice("blocked-on-stage", "Somebody you blocked is on stage.", "You will hear them. You can leave at any time.");
  return {
    elements: [blocked, late, away, acting, disliked],
    draw: () => {
      setAttribute(blocked, "hidden", !session.connection.blocked);
      setAttribute(late, "hidden", !session.connection.delayed);
      setAttribute(away, "hidden", !session.room?.host_away);
      setAttribute(acting, "hidden", !session.leads || session.role === "host");
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
    button("Invite", { icon: "user-plus", onclick: () => openInvite(session.space, session.leads) }),
  );
}

/** @param {RoomSession} session */
function listeningAs(session) {
  const name = account()?.displayName ?? "yourself";
  if (session.onStage) return `On stage as ${name} · ${session.muted ? "your mic is off" : "everybody hears you"}`;
  return session.anonymous ? "Listening anonymously" : `Listening as ${name}`;
}

// @ts-check
/** A Space's page: its door, the room itself, or how it ended. */

import { getSpace, startSpace } from "../api.js";
import { Problem } from "../http.js";
import { account } from "../session.js";
import { titleOf } from "../format.js";
import { h } from "../components/dom.js";
import { toastProblem } from "../components/toast.js";
import { RoomSession } from "../room/session.js";
import { attempt } from "./controls.js";
import { doorPanel } from "./door.js";
import { endedPanel } from "./ended.js";
import { liveRoom } from "./live_room.js";
import { problemPanel } from "./problem.js";
import { waitingPanel } from "./waiting.js";

/** @typedef {import("../api.js").Space} Space */

/**
 * @typedef {object} RoomOptions
 * @property {import("../router.js").Routes} routes
 * @property {import("../room/present.js").Present} present The Space one is in.
 * @property {Space | null} entering To go straight into, to speak: just started, or invited to.
 */

/**
 * @param {string} id
 * @param {RoomOptions} options
 * @returns {import("../router.js").View}
 */
export function roomView(id, { routes, present, entering }) {
  const page = new RoomPage(id, routes, present);
  const session = present.session;
  if (session?.space.id === id) page.showRoom(session);
  else if (entering?.id === id) void page.enter(entering, { speak: true, anonymous: false });
  else void page.load();
  return { element: page.element, title: "Space", destroy: () => page.destroy() };
}

class RoomPage {
  element = h("div", { class: "room-page" });
  #closing = new AbortController();
  /** @type {() => void} */
  #leaveView = () => undefined;

  /**
   * @param {string} id
   * @param {import("../router.js").Routes} routes
   * @param {import("../room/present.js").Present} present
   */
  constructor(id, routes, present) {
    this.id = id;
    this.routes = routes;
    this.present = present;
  }

  async load() {
    this.#show(skeleton());
    try {
      this.#showSpace(await getSpace(this.id));
    } catch (problem) {
      this.#showProblem(problem);
    }
  }

  /**
   * @param {Space} space
   * @param {{speak: boolean, anonymous: boolean}} wish
   */
  async enter(space, { speak, anonymous }) {
    const me = account();
    if (!me) return this.routes.signInThen(() => void this.enter(space, { speak, anonymous }));
    const session = new RoomSession(space, { uid: me.uid, anonymous });
    this.present.take(session);
    this.showRoom(session);
    const hosts = space.host.uid === me.uid;
    await session.enter(hosts ? "host" : speak ? "speaker" : "listener");
  }

  /** @param {RoomSession} session */
  showRoom(session) {
    const signal = this.#closing.signal;
    const title = titleOf(session.space);
    const room = liveRoom(session, { routes: this.routes, title });
    this.#show(room.element, title);
    this.#leaveView = room.destroy;
    session.on("over", () => void this.#showEnd(session), signal);
    session.on("refused", (problem) => this.#showProblem(problem, session), signal);
    session.on("problem", toastProblem, signal);
  }

  destroy() {
    this.#closing.abort();
    this.#leaveView();
  }

  /** @param {Space} space */
  #showSpace(space) {
    if (space.state === "live") {
      const enter = (/** @type {{speak: boolean, anonymous: boolean}} */ wish) =>
        this.enter(space, wish);
      this.#show(doorPanel(space, { enter }), titleOf(space));
    } else if (space.state === "ended") {
      this.#showEnded(space);
    } else if (space.state === "cancelled") {
      const code = space.end_reason === "host_no_show" ? "no-show" : "cancelled";
      this.#showProblem(new Problem({ code, status: 409 }));
    } else if (space.scheduled_start) {
      this.#showWaiting(space);
    } else if (space.host.uid === account()?.uid) {
      void this.#startAndEnter();
    } else {
      this.#showProblem(new Problem({ code: "not-live", status: 409 }));
    }
  }

  /** @param {Space} space */
  #showWaiting(space) {
    const waiting = waitingPanel(space, {
      routes: this.routes,
      start: () => attempt(async () => this.enter(await startSpace(this.id), { speak: true, anonymous: false })),
      onchange: (now) => this.#showSpace(now),
    });
    this.#show(waiting.element, titleOf(space));
    this.#leaveView = waiting.destroy;
  }

  /** The host of a Space that was made but never started, for a lost answer. */
  async #startAndEnter() {
    try {
      this.#showSpace(await startSpace(this.id));
    } catch (problem) {
      this.#showProblem(problem);
    }
  }

  /** @param {RoomSession} session */
  async #showEnd(session) {
    const space = await getSpace(this.id).catch(() => session.space);
    this.#showEnded(space, session.peakListeners);
  }

  /**
   * @param {Space} space
   * @param {number} [peak]
   */
  #showEnded(space, peak) {
    const hosts = space.host.uid === account()?.uid;
    this.#show(endedPanel(space, { routes: this.routes, hosts, peak }), "Ended");
  }

  /**
   * @param {unknown} problem
   * @param {RoomSession} [session] The one it ended.
   */
  #showProblem(problem, session) {
    const here = session && (() => this.enter(session.space, { speak: session.onStage, anonymous: session.anonymous }));
    const panel = problemPanel(problem, {
      retry: () => this.load(),
      rejoin: () => this.load(),
      here,
      feed: () => this.routes.go("/"),
      "sign-in": () => this.routes.signInThen(() => void this.load()),
    });
    this.#show(panel, "Problem");
  }

  /**
   * @param {HTMLElement} panel
   * @param {string} [title]
   */
  #show(panel, title) {
    if (this.#closing.signal.aborted) return;
    this.#leaveView();
    this.#leaveView = () => undefined;
    this.element.replaceChildren(panel);
    if (!title) return;
    this.routes.setTitle(title);
    this.element.querySelector("h1")?.focus();
  }
}

function skeleton() {
  return h(
    "div",
    { class: "panel door", "aria-busy": "true", "aria-label": "Loading the Space" },
    h("span", { class: "bone bone--chip" }),
    h("span", { class: "bone bone--title" }),
    h("span", { class: "bone bone--avatar" }),
    h("span", { class: "bone bone--button" }),
  );
}

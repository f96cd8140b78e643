// @ts-check
/** The page of a Space that is still to come: when, how long yet, and the bell. */

import { getSpace } from "../api.js";
import { account } from "../session.js";
import { countdown, moment, plural, titleOf, zone } from "../format.js";
import { isReminded } from "../reminders.js";
import { avatar } from "../components/avatar.js";
import { bell } from "../components/bell.js";
import { button } from "../components/button.js";
import { h, icon, setAttribute, setText } from "../components/dom.js";
import { shareSpace } from "../components/share.js";
import { askCancel, openEditSheet } from "./edit_space.js";
import { openInvite } from "./invite.js";

const TICK_MS = 1000;
const LOOK_MS = 5000;
const LOOK_SOON_MS = 3000;
const SOON_MS = 120_000;

/** @typedef {import("../api.js").Space} Space */

/**
 * @param {Space} space With an appointed time.
 * @param {object} options
 * @param {import("../router.js").Routes} options.routes
 * @param {() => Promise<unknown>} options.start For its host.
 * @param {(space: Space) => void} options.onchange It has moved on, or was changed.
 */
export function waitingPanel(space, { routes, start, onchange }) {
  const at = new Date(space.scheduled_start ?? "");
  const hosts = account()?.uid === space.host.uid;
  const left = h("p", { class: "countdown__left", role: "timer", "data-testid": "countdown" });
  const caption = h("p", { class: "muted" });
  const crowd = h("p", { class: "muted", "data-testid": "crowd" });
  const asked = { people: space.subscriber_count, oneself: false };
  const count = (/** @type {Partial<typeof asked>} */ known) => {
    Object.assign(asked, known);
    setText(crowd, awaited(Math.max(asked.people, Number(asked.oneself)), hosts));
  };
  count({});
  const onring = (/** @type {boolean} */ oneself) => count({ oneself });
  const actions = hosts ? hostActions(space, { start, onchange }) : guestActions(space, { routes, onring });
  const element = h(
    "section",
    { class: "panel waiting", "data-testid": "waiting" },
    h("div", { class: "door__top" }, h("span", { class: "soon-chip" }, icon("calendar"), "Scheduled"), button("Share", {
      look: "quiet", icon: "share", round: true, testid: "share-scheduled", onclick: () => shareSpace(space),
    })),
    h("h1", { tabindex: -1 }, titleOf(space)),
    h("div", { class: "waiting__host" }, avatar(space.host, "m"), h("p", {}, h("strong", {}, space.host.display_name), h("span", { class: "muted" }, `@${space.host.handle}`))),
    h("div", { class: "countdown" }, caption, left, h("p", { class: "countdown__when" }, h("strong", {}, h("time", { datetime: space.scheduled_start }, moment(at))), h("span", { class: "muted" }, zone(at)))),
    crowd,
    h("div", { class: "panel__actions" }, ...actions),
  );
  const tick = () => {
    const ms = at.getTime() - Date.now();
    const [due, wait] = hosts ? ["It’s time", "Start when you’re ready"] : ["Any moment now", "Waiting for the host"];
    setText(caption, ms > 0 ? "Starts in" : due);
    setText(left, ms > 0 ? countdown(ms) : wait);
    setAttribute(left, "data-due", ms <= 0);
  };
  tick();
  return { element, destroy: watch(space, at, { tick, onchange, oncount: (people) => count({ people }) }) };
}

/**
 * Tick, and look now and then whether it has begun.
 *
 * @param {Space} space
 * @param {Date} at
 * @param {object} tell
 * @param {() => void} tell.tick
 * @param {(space: Space) => void} tell.onchange
 * @param {(people: number) => void} tell.oncount How many wait; the page stays as it is.
 * @returns {() => void} Stops it.
 */
function watch(space, at, { tick, onchange, oncount }) {
  let stopped = false;
  let lookedAtMs = Date.now();
  const look = async () => {
    const soon = at.getTime() - Date.now() < SOON_MS;
    if (document.hidden || Date.now() - lookedAtMs < (soon ? LOOK_SOON_MS : LOOK_MS)) return;
    lookedAtMs = Date.now();
    const now = await getSpace(space.id).catch(() => space);
    const same = ["state", "title", "scheduled_start"].every(
      (name) => Reflect.get(now, name) === Reflect.get(space, name),
    );
    if (stopped) return;
    if (same) oncount(now.subscriber_count);
    else onchange(now);
  };
  const timer = setInterval(() => {
    tick();
    void look();
  }, TICK_MS);
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}

/**
 * @param {Space} space
 * @param {{start: () => Promise<unknown>, onchange: (space: Space) => void}} acts
 */
function hostActions(space, { start, onchange }) {
  return [
    button("Start now", { look: "primary", icon: "mic", testid: "start-early", onclick: start }),
    h(
      "div",
      { class: "panel__row" },
      button("Invite", { icon: "user-plus", testid: "invite-people", onclick: () => openInvite(space, true) }),
      button("Edit", { icon: "pencil", testid: "edit", onclick: () => openEditSheet(space, onchange) }),
    ),
    button("Cancel Space", { look: "danger", testid: "cancel", onclick: () => askCancel(space, () => onchange({ ...space, state: "cancelled" })) }),
  ];
}

/**
 * @param {Space} space
 * @param {object} options
 * @param {import("../router.js").Routes} options.routes
 * @param {(wanted: boolean) => void} options.onring Whether one is reminded oneself.
 */
function guestActions(space, { routes, onring }) {
  const note = h("p", { class: "door__note muted" });
  const draw = (/** @type {boolean} */ wanted) => {
    onring(wanted);
    setText(note, wanted ? "Stay here, or come back when your phone calls." : "A push when it starts, or if it moves.");
  };
  draw(isReminded(space.id));
  return [bell(space, { routes, onchange: draw }), button("Share the link", { icon: "share", onclick: () => shareSpace(space) }), note];
}

/**
 * @param {number} waiting
 * @param {boolean} hosts
 */
function awaited(waiting, hosts) {
  if (waiting) return `${plural(waiting, "person", "people")} asked to be reminded`;
  return hosts ? "Nobody waits for it yet. Share the link!" : "Be the first to set a reminder";
}

// @ts-check
/** The door of a live Space: what it is, and how to come in. */

import { account } from "../session.js";
import { plural, titleOf } from "../format.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { h, icon } from "../components/dom.js";
import { liveChip } from "../components/live_chip.js";
import { shareSpace } from "../components/share.js";

/**
 * @param {import("../api.js").Space} space
 * @param {{enter: (wish: {speak: boolean, anonymous: boolean}) => Promise<unknown> | void}} acts
 */
export function doorPanel(space, { enter }) {
  const me = account();
  const hosts = me?.uid === space.host.uid;
  return h(
    "section",
    { class: "panel door", "data-testid": "door" },
    h("div", { class: "door__top" }, liveChip(), button("Share", {
      look: "quiet", icon: "share", round: true, onclick: () => shareSpace(space),
    })),
    h("h1", { tabindex: -1 }, titleOf(space)),
    h(
      "div",
      { class: "door__host" },
      avatar(space.host, "l"),
      h("p", {}, h("strong", {}, space.host.display_name), h("span", { class: "muted" }, ` @${space.host.handle}`)),
    ),
    h("p", { class: "muted" }, crowd(space)),
    h("div", { class: "panel__actions" }, ...(hosts ? hostActions(enter) : guestActions(enter, Boolean(me)))),
    me && h("p", { class: "door__me muted" }, `You are @${me.handle}`),
  );
}

/** @param {(wish: {speak: boolean, anonymous: boolean}) => unknown} enter */
function hostActions(enter) {
  return [
    button("Go back on stage", {
      look: "primary",
      icon: "mic",
      testid: "join-host",
      onclick: () => enter({ speak: true, anonymous: false }),
    }),
  ];
}

/**
 * @param {(wish: {speak: boolean, anonymous: boolean}) => unknown} enter
 * @param {boolean} signedIn
 */
function guestActions(enter, signedIn) {
  return [
    button(signedIn ? "Start listening" : "Sign in and listen", {
      look: "primary",
      icon: "headphones",
      testid: "join-listen",
      onclick: () => enter({ speak: false, anonymous: false }),
    }),
    button(signedIn ? "Listen anonymously" : "Sign in and listen anonymously", {
      icon: "mask",
      testid: "join-anonymous",
      onclick: () => enter({ speak: false, anonymous: true }),
    }),
    h("p", { class: "door__note muted" }, icon("mic-off"), "Your mic stays off."),
  ];
}

/** @param {import("../api.js").Space} space */
function crowd(space) {
  const stage = new Set([...space.host_ids, ...space.speaker_ids]).size;
  const listening = Math.max(0, space.participant_count - stage);
  return `${plural(stage, "person", "people")} on stage · ${plural(listening, "listener")}`;
}

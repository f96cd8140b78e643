// @ts-check
/** A Space that is over. */

import { count, duration, titleOf } from "../format.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";

const MANY = "Its host has ten other Spaces live. End one to go live again";

/**
 * @param {import("../api.js").Space} space
 * @param {{routes: import("../router.js").Routes, peak?: number}} options `peak` is
 *   the largest audience this page saw.
 */
export function endedPanel(space, { routes, peak = 0 }) {
  const lasted = Date.parse(space.ended_at ?? "") - Date.parse(space.started_at ?? "");
  const stage = new Set([...space.host_ids, ...space.speaker_ids]).size;
  const listeners = Math.max(peak, space.participant_count - stage, 0);
  const recorded = !["off", "pending"].includes(space.recording_state); // pending: nobody agreed
  return h(
    "section",
    { class: "panel ended", "data-testid": "ended" },
    h("div", { class: "ended__host" }, avatar(space.host, "l")),
    h("p", { class: "ended__kicker" }, space.end_reason === "too_many_live" ? MANY : "This Space has ended"),
    h("h1", { tabindex: -1 }, titleOf(space)),
    h("p", { class: "muted" }, `Hosted by ${space.host.display_name}`),
    h(
      "dl",
      { class: "facts" },
      fact("Duration", Number.isFinite(lasted) ? duration(lasted) : "–"),
      fact(listeners === 1 ? "Listener" : "Listeners", count(listeners)),
      fact("On stage", count(stage)),
    ),
    h(
      "div",
      { class: "panel__actions" },
      recorded && button("The recording", {
        look: "primary", icon: "play", testid: "ended-recording", onclick: () => routes.go(`/s/${space.id}/recording`),
      }),
      button("See what is live", { look: recorded ? "plain" : "primary", icon: "headphones", testid: "ended-feed", onclick: () => routes.go("/") }),
      button("Start a Space", { icon: "mic", onclick: () => routes.startSpace() }),
    ),
  );
}

/**
 * @param {string} name
 * @param {string} value
 */
const fact = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

// @ts-check
/** A Space that is over. */

import { count, duration, titleOf } from "../format.js";
import { avatar } from "../components/avatar.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";

const MANY = "You had ten other Spaces live. End one, then start again.";

/**
 * @param {import("../api.js").Space} space
 * @param {{routes: import("../router.js").Routes, hosts: boolean, peak?: number}} options
 *   `hosts`: whether it was theirs; `peak` is the largest audience this page saw.
 */
export function endedPanel(space, { routes, hosts, peak = 0 }) {
  const lasted = Date.parse(space.ended_at ?? "") - Date.parse(space.started_at ?? "");
  const stage = new Set([...space.host_ids, ...space.speaker_ids]).size;
  const listeners = Math.max(peak, space.participant_count - stage, 0);
  const recorded = !["off", "pending"].includes(space.recording_state); // pending: nobody agreed
  return h(
    "section",
    { class: "panel ended", "data-testid": "ended" },
    h("div", { class: "ended__host" }, avatar(space.host, "l")),
    h("p", { class: "ended__kicker" }, "This Space has ended"),
    h("h1", { tabindex: -1 }, titleOf(space)),
    h("p", { class: "muted" }, `Hosted by ${space.host.display_name}`),
    hosts && space.end_reason === "too_many_live" && h("p", { "data-testid": "ended-why" }, MANY),
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

// @ts-check
/** A live Space in a list. */

import { count, plural, titleOf } from "../format.js";
import { avatar } from "../components/avatar.js";
import { h, icon } from "../components/dom.js";
import { liveChip } from "../components/live_chip.js";

/** @param {import("../api.js").Space} space */
export function cardOf(space) {
  const stage = new Set([...space.host_ids, ...space.speaker_ids]).size;
  const listening = Math.max(0, space.participant_count - stage);
  return h(
    "li",
    { class: "card", "data-testid": "space-card", data: { spaceId: space.id } },
    h("div", { class: "card__top" }, liveChip(), h("span", { class: "card__count" }, icon("headphones"), `${count(listening)}`, h("span", { class: "visually-hidden" }, " listening"))),
    h("h2", { class: "card__title" }, h("a", { href: `/s/${space.id}`, class: "card__link" }, titleOf(space))),
    h(
      "div",
      { class: "card__host" },
      avatar(space.host, "s"),
      h(
        "p",
        {},
        h("strong", {}, space.host.display_name),
        h("span", { class: "muted" }, `Host · ${plural(stage, "speaker")}`),
      ),
      h("span", { class: "card__go", "aria-hidden": "true" }, "Listen"),
    ),
  );
}

// @ts-check
/** A live Space in a list. */

import { count, plural, titleOf } from "../format.js";
import { avatar } from "../components/avatar.js";
import { h, icon, setAttribute, setText } from "../components/dom.js";
import { liveChip } from "../components/live_chip.js";

/** @type {string | null} The Space that one is in. */
let here = null;

/**
 * Have all cards, and those to come, tell the Space that one is in from the others.
 *
 * @param {string | null} id
 */
export function markHere(id) {
  here = id;
  for (const card of document.querySelectorAll("[data-testid=space-card]")) draw(card);
}

/** @param {import("../api.js").Space} space */
export function cardOf(space) {
  const stage = new Set([...space.host_ids, ...space.speaker_ids]).size;
  const listening = Math.max(0, space.participant_count - stage);
  const card = h(
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
      h("span", { class: "card__go", "aria-hidden": "true" }),
    ),
  );
  draw(card);
  return card;
}

/** @param {Element} card */
function draw(card) {
  const isHere = /** @type {HTMLElement} */ (card).dataset.spaceId === here;
  setAttribute(/** @type {Element} */ (card.querySelector(".card__link")), "aria-current", isHere && "true");
  setText(/** @type {Element} */ (card.querySelector(".card__go")), isHere ? "Joined" : "Listen");
}

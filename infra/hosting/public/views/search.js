// @ts-check
/** Finding Spaces by the words of their titles and topics. */

import { searchSpaces } from "../api.js";
import { withoutOver } from "../over.js";
import { explain } from "../problems.js";
import { h, icon, setAttribute, setText } from "../components/dom.js";
import { cardOf } from "./space_card.js";
import { itemOf } from "./upcoming.js";

const TYPING_MS = 250;

export class Search {
  #typing = 0;
  #note = h("p", { class: "muted", role: "status", "data-testid": "search-note" });
  #live = h("ul", { class: "feed__list" });
  #soon = h("ul", { class: "upcoming__list" });
  results = h("div", { class: "feed__results", hidden: true, "data-testid": "search-results" }, this.#note, this.#live, this.#soon);
  #input = h("input", {
    type: "search", class: "field__input", placeholder: "Search Spaces", "aria-label": "Search Spaces",
    autocomplete: "off", enterkeyhint: "search", maxlength: 100, "data-testid": "search",
  });
  element = h("search", { class: "field__row feed__search" }, icon("search"), this.#input);

  /**
   * @param {import("../router.js").Routes} routes
   * @param {(searching: boolean) => void} onchange
   */
  constructor(routes, onchange) {
    this.routes = routes;
    this.onchange = onchange;
    this.#input.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = window.setTimeout(() => void this.#find(), TYPING_MS);
    });
  }

  async #find() {
    const text = this.#input.value.trim();
    setAttribute(this.results, "hidden", !text);
    this.onchange(Boolean(text));
    if (!text) return;
    try {
      const { spaces } = await searchSpaces(text);
      if (this.#input.value.trim() === text) this.#show(withoutOver(spaces), text); // else they typed on
    } catch (problem) {
      const { title, text: detail } = explain(problem);
      setText(this.#note, `${title}. ${detail}`);
    }
  }

  /**
   * @param {import("../api.js").Space[]} spaces
   * @param {string} text
   */
  #show(spaces, text) {
    setText(this.#note, spaces.length ? `${spaces.length} found` : `Nothing for “${text}”. Try another word.`);
    this.#live.replaceChildren(...spaces.filter(({ state }) => state === "live").map(cardOf));
    this.#soon.replaceChildren(...spaces.filter(({ state }) => state === "scheduled").map((space) => itemOf(space, this.routes)));
  }
}

// @ts-check
/** The feed: what is live now. */

import { liveSpaces } from "../api.js";
import { watchOver, withoutOver } from "../over.js";
import { button } from "../components/button.js";
import { h, setAttribute } from "../components/dom.js";
import { pullToRefresh } from "../components/pull.js";
import { problemPanel } from "./problem.js";
import { Search } from "./search.js";
import { cardOf } from "./space_card.js";
import { Upcoming } from "./upcoming.js";

const REFRESH_MS = 8000;
const SKELETONS = 3;

/**
 * @param {import("../router.js").Routes} routes
 * @returns {import("../router.js").View}
 */
export function feedView(routes) {
  const list = h("ul", { class: "feed__list", "data-testid": "feed", "aria-busy": "true" });
  const more = h("div", { class: "feed__more" });
  const upcoming = new Upcoming(routes);
  const search = new Search(routes, (searching) => setAttribute(element, "data-searching", searching));
  const element = h("div", { class: "feed" }, search.element, search.results, heading(routes), list, more, upcoming.element);
  const feed = new Feed(list, more);
  const refresh = () => Promise.all([feed.refresh(), upcoming.refresh()]);
  const unpull = pullToRefresh(element, refresh);
  const unwatch = watchOver(() => feed.dropOver());
  const onVisible = () => void (document.hidden || refresh());
  const timer = setInterval(onVisible, REFRESH_MS);
  document.addEventListener("visibilitychange", onVisible);
  window.addEventListener("online", onVisible);
  list.append(...Array.from({ length: SKELETONS }, skeleton));
  void refresh();
  return {
    element,
    title: "Live now",
    destroy: () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", onVisible);
      window.removeEventListener("online", onVisible);
      unpull();
      unwatch();
    },
  };
}

/** @param {import("../router.js").Routes} routes */
function heading(routes) {
  return h(
    "div",
    { class: "feed__heading" },
    h(
      "div",
      {},
      h("h1", { tabindex: -1 }, "Live now"),
      h("p", { class: "muted" }, "Drop in and listen, or open a Space of your own."),
    ),
    button("Start a Space", {
      look: "primary",
      icon: "plus",
      testid: "start-space",
      onclick: () => routes.startSpace(),
    }),
  );
}

/** The list, page by page; a refresh keeps what is shown until the new is there. */
class Feed {
  /** @type {Map<string, {card: HTMLElement, shown: string}>} */
  #cards = new Map();
  /** @type {import("../api.js").Space[]} */
  #listed = [];
  #pages = 1;

  /**
   * @param {HTMLElement} list
   * @param {HTMLElement} more
   */
  constructor(list, more) {
    this.list = list;
    this.more = more;
  }

  async refresh() {
    try {
      const { spaces, next } = await this.#load();
      this.#listed = spaces;
      this.#show();
      this.more.replaceChildren(...(next ? [this.#moreButton()] : []));
    } catch (problem) {
      // Old news are better than an error, but only where there are any.
      if (this.#cards.size === 0) this.#fail(problem);
    }
    this.list.removeAttribute("aria-busy");
  }

  async #load() {
    /** @type {import("../api.js").Space[]} */
    const spaces = [];
    /** @type {string | null} */
    let next = null;
    for (let page = 0; page < this.#pages; page += 1) {
      const answer = await liveSpaces(next);
      spaces.push(...answer.spaces);
      next = answer.next_page_token;
      if (!next) break;
    }
    return { spaces, next };
  }

  /** Take out what has ended since. */
  dropOver() {
    if (withoutOver(this.#listed).length < this.#cards.size) this.#show();
  }

  #show() {
    const before = this.#cards;
    this.#cards = new Map();
    for (const space of withoutOver(this.#listed)) {
      const shown = JSON.stringify([space.title, space.participant_count, space.speaker_ids]);
      const old = before.get(space.id);
      this.#cards.set(space.id, old?.shown === shown ? old : { card: cardOf(space), shown });
    }
    const cards = [...this.#cards.values()].map(({ card }) => card);
    const next = cards.length ? cards : [emptyState()];
    const same = next.length === this.list.children.length &&
      next.every((card, index) => card === this.list.children[index]);
    if (same || (!cards.length && this.list.querySelector("[data-testid=feed-empty]"))) return;
    const focused = document.activeElement?.getAttribute("href");
    this.list.replaceChildren(...next);
    if (focused) /** @type {HTMLElement | null} */ (this.list.querySelector(`a[href="${CSS.escape(focused)}"]`))?.focus();
  }

  #moreButton() {
    return button("Show more", {
      testid: "feed-more",
      onclick: () => {
        this.#pages += 1;
        return this.refresh();
      },
    });
  }

  /** @param {unknown} problem */
  #fail(problem) {
    const panel = problemPanel(problem, { retry: () => this.refresh() });
    this.list.replaceChildren(h("li", { class: "feed__note" }, panel));
  }
}

function emptyState() {
  return h(
    "li",
    { class: "feed__note", "data-testid": "feed-empty" },
    h(
      "div",
      { class: "panel" },
      h("div", { class: "panel__art", "aria-hidden": "true" }, h("i"), h("i"), h("i"), h("i"), h("i")),
      h("h2", {}, "It’s quiet here"),
      h("p", { class: "muted" }, "Nobody is live. Start a Space, and people will come."),
    ),
  );
}

function skeleton() {
  return h(
    "li",
    { class: "card card--skeleton", "aria-hidden": "true" },
    h("span", { class: "bone bone--chip" }),
    h("span", { class: "bone bone--title" }),
    h("span", { class: "bone bone--host" }),
  );
}

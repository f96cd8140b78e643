// @ts-check
/** The Spaces to come, by day, each with its bell. */

import { upcomingSpaces } from "../api/schedule.js";
import { account } from "../session.js";
import { moment, titleOf } from "../format.js";
import { avatar } from "../components/avatar.js";
import { bell } from "../components/bell.js";
import { button } from "../components/button.js";
import { h } from "../components/dom.js";

/** @typedef {import("../api.js").Space} Space */

const REFRESH_MS = 30_000; // plans change seldom, however often the feed looks

export class Upcoming {
  #dueAtMs = 0;
  list = h("ul", { class: "upcoming__list", "data-testid": "upcoming" });
  more = h("div", { class: "feed__more" });
  element = h("section", { class: "upcoming", "aria-labelledby": "upcoming-title", hidden: true },
    h("h2", { id: "upcoming-title" }, "Coming up"), this.list, this.more);
  #pages = 1;
  #shown = "";

  /** @param {import("../router.js").Routes} routes */
  constructor(routes) {
    this.routes = routes;
  }

  /** Show what is there now, or was half a minute ago; nothing where the server fails. */
  async refresh() {
    if (Date.now() < this.#dueAtMs) return;
    this.#dueAtMs = Date.now() + REFRESH_MS;
    const { spaces, next } = await this.#load().catch(() => ({ spaces: [], next: null }));
    const shown = JSON.stringify(spaces.map((space) => [space.id, space.title, space.scheduled_start]));
    if (shown === this.#shown) return; // leaves the focus where it is
    this.#shown = shown;
    this.element.hidden = spaces.length === 0;
    this.list.replaceChildren(...spaces.map((space) => itemOf(space, this.routes)));
    this.more.replaceChildren(...(next ? [this.#moreButton()] : []));
  }

  async #load() {
    /** @type {Space[]} */
    const spaces = [];
    /** @type {string | null} */
    let next = null;
    for (let page = 0; page < this.#pages; page += 1) {
      const answer = await upcomingSpaces(next);
      spaces.push(...answer.spaces);
      next = answer.next_page_token;
      if (!next) break;
    }
    return { spaces, next };
  }

  #moreButton() {
    return button("Show more", {
      onclick: () => {
        this.#pages += 1;
        this.#dueAtMs = 0;
        return this.refresh();
      },
    });
  }
}

/**
 * @param {Space} space
 * @param {import("../router.js").Routes} routes
 */
export function itemOf(space, routes) {
  const at = new Date(space.scheduled_start ?? "");
  const own = account()?.uid === space.host.uid;
  return h(
    "li",
    { class: "soon", "data-testid": "upcoming-space", data: { spaceId: space.id } },
    h("span", { class: "soon__day", "aria-hidden": "true" },
      h("small", {}, at.toLocaleDateString([], { month: "short" })), h("strong", {}, String(at.getDate()))),
    h(
      "div",
      { class: "soon__text" },
      h("p", { class: "soon__when" }, h("time", { datetime: space.scheduled_start }, moment(at))),
      h("h3", {}, h("a", { href: `/s/${space.id}`, class: "card__link" }, titleOf(space))),
      h("p", { class: "soon__host muted" }, avatar(space.host, "xs"), own ? "Hosted by you" : space.host.display_name),
    ),
    !own && bell(space, { routes, round: true }),
  );
}

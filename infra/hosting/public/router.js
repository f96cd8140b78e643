// @ts-check
/** Paths to views; moves the focus and the title along, as a page load would. */

import { byId } from "./components/dom.js";

/**
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {string} title
 * @property {() => void} destroy
 */

/**
 * @typedef {object} Routes What views may ask of the app.
 * @property {(path: string) => void} go
 * @property {() => void} startSpace
 * @property {(space: import("./api.js").Space) => void} enter Go straight in, to speak.
 * @property {() => void} signOut
 * @property {(then: () => void) => Promise<void>} signInThen
 * @property {(title: string) => void} setTitle
 */

export class Router {
  /** @type {View | null} */
  #view = null;

  /** @param {(path: string) => View} resolve */
  constructor(resolve) {
    this.resolve = resolve;
    window.addEventListener("popstate", () => this.#show());
    document.addEventListener("click", (event) => this.#clicked(event));
  }

  start() {
    this.#show({ focus: false });
  }

  /** @param {string} path */
  go(path) {
    if (path !== location.pathname) history.pushState(null, "", path);
    this.#show();
  }

  /** @param {string} title */
  setTitle(title) {
    document.title = `${title} · Parley`;
  }

  #show({ focus = true } = {}) {
    this.#view?.destroy();
    this.#view = this.resolve(location.pathname);
    this.setTitle(this.#view.title);
    byId("main").replaceChildren(this.#view.element);
    window.scrollTo(0, 0);
    if (focus) (byId("main").querySelector("h1") ?? byId("main")).focus();
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const link = event.target instanceof Element ? event.target.closest("a[href^='/']") : null;
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey;
    if (!link || !plain || event.defaultPrevented) return;
    event.preventDefault();
    this.go(/** @type {HTMLAnchorElement} */ (link).pathname);
  }
}

// @ts-check
/** A problem as a page or as part of one: what happened, and the way on. */

import { explain } from "../problems.js";
import { button } from "../components/button.js";
import { h, icon } from "../components/dom.js";

/** @type {Readonly<Record<import("../problems.js").Remedy, {label: string, symbol: string}>>} */
const REMEDIES = Object.freeze({
  retry: { label: "Try again", symbol: "retry" },
  feed: { label: "See what is live", symbol: "headphones" },
  "sign-in": { label: "Sign in", symbol: "people" },
  rejoin: { label: "Join again", symbol: "retry" },
  here: { label: "Listen here", symbol: "headphones" },
  reload: { label: "Reload", symbol: "retry" },
});

/**
 * @param {unknown} problem
 * @param {Partial<Record<import("../problems.js").Remedy, () => unknown>>} acts What
 *   this place can do about it; "reload" is known everywhere.
 */
export function problemPanel(problem, acts) {
  const { title, text, icon: symbol = "info", remedy = "retry" } = explain(problem);
  const { code } = /** @type {import("../http.js").Problem} */ (problem);
  const known = { reload: () => location.reload(), ...acts };
  const { label, symbol: mark } = REMEDIES[remedy];
  const act = known[remedy];
  return h(
    "section",
    { class: "panel panel--problem", role: "alert", "data-testid": "problem", data: { code } },
    h("div", { class: "panel__icon" }, icon(symbol)),
    h("h1", { tabindex: -1 }, title),
    h("p", { class: "muted" }, text),
    h(
      "div",
      { class: "panel__actions" },
      act && button(label, { look: "primary", icon: mark, onclick: act, testid: "problem-act" }),
      known.feed && remedy !== "feed" && button("Back to the feed", { onclick: known.feed }),
    ),
  );
}

/**
 * @param {unknown} problem
 * @param {import("../router.js").Routes} routes
 * @returns {import("../router.js").View}
 */
export function problemView(problem, routes) {
  const element = problemPanel(problem, { feed: () => routes.go("/") });
  return { element, title: explain(problem).title, destroy: () => undefined };
}

// @ts-check
/** Buttons, named and of one kind each. */

import { h, icon, setAttribute } from "./dom.js";

/**
 * @param {string} label
 * @param {object} options
 * @param {() => unknown} options.onclick While its promise runs the button is busy.
 * @param {"primary" | "plain" | "quiet" | "danger"} [options.look]
 * @param {string} [options.icon]
 * @param {string} [options.testid]
 * @param {boolean} [options.round] Shows the icon only; the label is its name.
 */
export function button(label, { onclick, look = "plain", icon: symbol, testid, round = false }) {
  const element = h(
    "button",
    {
      type: "button",
      class: `button button--${look}${round ? " button--round" : ""}`,
      "aria-label": round && label,
      title: round && label,
      "data-testid": testid,
      on: { click: () => void busyWhile(element, onclick) },
    },
    symbol && icon(symbol),
    !round && h("span", {}, label),
  );
  return element;
}

/**
 * Run `action` with `element` marked busy and deaf to further clicks.
 *
 * @param {HTMLButtonElement} element
 * @param {() => unknown} action
 */
export async function busyWhile(element, action) {
  if (element.getAttribute("aria-busy") === "true") return;
  setAttribute(element, "aria-busy", "true");
  try {
    await action();
  } finally {
    setAttribute(element, "aria-busy", null);
  }
}

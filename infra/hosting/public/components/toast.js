// @ts-check
/** Short notes at the edge of the screen. */

import { explain } from "../problems.js";
import { announce } from "./announce.js";
import { byId, h, icon } from "./dom.js";

const SHOWN_MS = 6000;

/**
 * @param {string} title
 * @param {{text?: string, tone?: "info" | "error", symbol?: string, code?: string}} [options]
 */
export function toast(title, { text = "", tone = "info", symbol = "info", code = "" } = {}) {
  const box = byId("toasts");
  const note = h(
    "div",
    { class: `toast toast--${tone}`, data: { testid: "toast", code } },
    icon(symbol),
    h("p", {}, h("strong", {}, title), text && ` ${text}`),
  );
  for (const old of [...box.children].slice(0, -1)) old.remove(); // at most two at once
  box.append(note);
  // Re-entered each time, so that it is above dialogs that opened meanwhile.
  box.hidePopover();
  box.showPopover();
  announce(`${title}. ${text}`, tone === "error" ? "alerts" : "announcer");
  setTimeout(() => dismiss(note), SHOWN_MS);
}

/** @param {unknown} problem */
export function toastProblem(problem) {
  const { title, text, icon: symbol = "info" } = explain(problem);
  const { code } = /** @type {import("../http.js").Problem} */ (problem);
  toast(title, { text, tone: "error", symbol, code });
}

/** @param {HTMLElement} note */
function dismiss(note) {
  note.dataset.leaving = "true";
  setTimeout(() => {
    note.remove();
    if (!byId("toasts").childElementCount) byId("toasts").hidePopover();
  }, 250);
}

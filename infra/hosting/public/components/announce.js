// @ts-check
/** Tells screen readers what others can see. */

import { byId } from "./dom.js";

const CLEAR_MS = 4000;

/**
 * @param {string} text
 * @param {"announcer" | "alerts"} [region] Alerts interrupt.
 */
export function announce(text, region = "announcer") {
  const line = document.createElement("p");
  line.textContent = text;
  byId(region).append(line);
  setTimeout(() => line.remove(), CLEAR_MS);
}

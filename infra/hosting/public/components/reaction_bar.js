// @ts-check
/** The choice of reactions, and emoji that float up over the stage. */

import { button } from "./button.js";
import { h, icon, setAttribute } from "./dom.js";
import { EMOJIS } from "../room/reactions.js";

const RISE_MS = 3200; // as the animation in reactions.css
const SPREAD_PX = 120;
const MAX_FLOATING = 40;

/** Emoji rise here; for eyes only. */
export class Floats {
  #shown = 0;
  element = h("div", { class: "floats", "aria-hidden": "true", "data-testid": "floats" });

  /**
   * @param {string} emoji
   * @param {number} delayMs
   */
  show(emoji, delayMs) {
    if (document.hidden || this.element.childElementCount >= MAX_FLOATING) return;
    const float = h("span", { class: "float", data: { emoji } }, icon(EMOJIS[emoji].symbol));
    float.style.setProperty("--x", `${Math.round((Math.random() - 0.5) * SPREAD_PX)}px`);
    float.style.setProperty("--sway", `${Math.round((Math.random() - 0.5) * 70)}px`);
    float.style.setProperty("--delay", `${delayMs}ms`);
    this.element.append(float);
    this.element.dataset.shown = String((this.#shown += 1));
    setTimeout(() => float.remove(), RISE_MS + delayMs);
  }
}

/** @param {(emoji: string) => unknown} react */
export function reactionBar(react) {
  const strip = h(
    "div",
    { class: "reactions", role: "group", "aria-label": "Reactions", hidden: true, "data-testid": "reactions" },
    ...Object.entries(EMOJIS).map(([emoji, { name, symbol }]) =>
      h("button", { type: "button", class: "reactions__one", "aria-label": `React: ${name}`, on: { click: () => void react(emoji) } }, icon(symbol))),
  );
  const toggle = button("React", { look: "quiet", icon: "smile", testid: "react", onclick: () => open(strip.hidden) });
  const open = (/** @type {boolean} */ shown) => {
    setAttribute(strip, "hidden", !shown);
    setAttribute(toggle, "aria-expanded", String(shown));
    if (shown) /** @type {HTMLElement} */ (strip.firstElementChild).focus();
  };
  strip.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open(false);
    toggle.focus();
  });
  setAttribute(toggle, "aria-expanded", "false");
  return { strip, toggle };
}

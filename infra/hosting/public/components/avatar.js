// @ts-check
/** A person's picture, made of their initials and their own colours. */

import { hue, initials } from "../format.js";
import { h } from "./dom.js";

/**
 * @param {{handle: string, display_name: string}} person
 * @param {"xs" | "s" | "m" | "l" | "xl"} [size]
 */
export function avatar(person, size = "m") {
  const element = h(
    "span",
    { class: `avatar avatar--${size}`, "aria-hidden": "true" },
    initials(person.display_name || person.handle),
  );
  // Set by script: the content security policy allows no style attribute.
  element.style.setProperty("--hue", String(hue(person.handle)));
  return element;
}

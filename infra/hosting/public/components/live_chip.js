// @ts-check
/** The mark of what is live. */

import { h } from "./dom.js";

export const liveChip = () =>
  h(
    "span",
    { class: "live-chip" },
    h("span", { class: "live-chip__bars", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
    "LIVE",
  );

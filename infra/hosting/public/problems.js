// @ts-check
/** What each problem code means to a person, and what they can do about it. */

import { ACCOUNTS } from "./problems/accounts.js";
import { MEDIA } from "./problems/media.js";
import { RECORDINGS } from "./problems/recordings.js";
import { SPACES } from "./problems/spaces.js";

/** @typedef {"retry" | "feed" | "sign-in" | "rejoin" | "here" | "reload"} Remedy */
/** @typedef {{title: string, text: string, icon?: string, remedy?: Remedy}} Explanation */

/** @type {Readonly<Record<string, Explanation>>} */
const EXPLANATIONS = Object.freeze({ ...SPACES, ...ACCOUNTS, ...MEDIA, ...RECORDINGS });

/** SDP refusals differ in detail; to a person they are one thing. */
const SDP = Object.freeze({
  title: "This browser can’t take part",
  text: "Its audio offer was refused. Update the browser, or try another one.",
  icon: "ban",
});
const DOWN = Object.freeze({
  title: "Something broke on our side",
  text: "It is not you. Try again in a moment.",
  icon: "plug",
  remedy: /** @type {Remedy} */ ("retry"),
});
const REFUSED = Object.freeze({
  title: "That did not work",
  text: "Parley refused it. Reload the page and try again.",
  icon: "info",
  remedy: /** @type {Remedy} */ ("reload"),
});

/**
 * @param {unknown} problem
 * @returns {Explanation}
 */
export function explain(problem) {
  const { code = "", status = 500 } = /** @type {import("./http.js").Problem} */ (problem);
  if (Object.hasOwn(EXPLANATIONS, code)) return EXPLANATIONS[code];
  if (code.startsWith("sdp-")) return SDP;
  return status >= 500 ? DOWN : REFUSED;
}

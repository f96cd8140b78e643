// @ts-check
/** Passing a link on: a Space's, or a clip's. */

import { titleOf } from "../format.js";
import { toast } from "./toast.js";

/** @typedef {import("../api.js").Space} Space */

/** @param {Space} space */
const linkOf = (space) => new URL(`/s/${space.id}`, location.origin).href;

/** @param {Space} space */
export const shareSpace = (space) => shareUrl(linkOf(space), titleOf(space));

/** @param {Space} space */
export const copyLink = (space) => copyUrl(linkOf(space));

/**
 * By the phone's own share sheet where there is one, else by the clipboard.
 *
 * @param {string} url
 * @param {string} title
 */
export async function shareUrl(url, title) {
  const shared = { title, text: "Listen with me on Parley", url };
  if (!navigator.canShare?.(shared)) return copyUrl(url);
  try {
    await navigator.share(shared);
  } catch (error) {
    const declined = error instanceof DOMException && error.name === "AbortError";
    if (!declined) await copyUrl(url);
  }
}

/** @param {string} url */
async function copyUrl(url) {
  try {
    await navigator.clipboard.writeText(url);
    toast("Link copied", { text: "Send it to whom you like.", symbol: "check" });
  } catch {
    toast("Copy this link", { text: url, symbol: "share" }); // no clipboard without https
  }
}

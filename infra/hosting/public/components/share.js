// @ts-check
/** Passing a Space's link on. */

import { titleOf } from "../format.js";
import { toast } from "./toast.js";

/** @typedef {import("../api.js").Space} Space */

/** @param {Space} space */
const linkOf = (space) => new URL(`/s/${space.id}`, location.origin).href;

/**
 * By the phone's own share sheet where there is one, else by the clipboard.
 *
 * @param {Space} space
 */
export async function shareSpace(space) {
  const shared = { title: titleOf(space), text: "Listen with me on Parley", url: linkOf(space) };
  if (!navigator.canShare?.(shared)) return copyLink(space);
  try {
    await navigator.share(shared);
  } catch (error) {
    const declined = error instanceof DOMException && error.name === "AbortError";
    if (!declined) await copyLink(space);
  }
}

/** @param {Space} space */
export async function copyLink(space) {
  try {
    await navigator.clipboard.writeText(linkOf(space));
    toast("Link copied", { text: "Send it to whom you like.", symbol: "check" });
  } catch {
    toast("Copy this link", { text: linkOf(space), symbol: "share" }); // no clipboard without https
  }
}

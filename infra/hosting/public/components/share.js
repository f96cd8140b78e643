// @ts-check
/** Passing a Space's link on. */

import { titleOf } from "../format.js";
import { toast } from "./toast.js";

/** @param {import("../api.js").Space} space */
export async function shareSpace(space) {
  const url = new URL(`/s/${space.id}`, location.origin).href;
  const shared = { title: titleOf(space), text: "Listen with me on Parley", url };
  try {
    if (navigator.share && navigator.canShare?.(shared)) return await navigator.share(shared);
    await navigator.clipboard.writeText(url);
    toast("Link copied", { text: "Send it to whom you like.", symbol: "check" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return; // thought better of it
    toast("Copy this link", { text: url, symbol: "share" }); // no clipboard without https
  }
}
